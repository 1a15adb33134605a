#!/bin/sh
# Makes docs/images/report.png, the picture in the README, from the records in docs/sample.
#
#   docs/picture.sh         from the records that are there
#   docs/picture.sh RUN     keeps the records of RUN (a folder that lab bench made) as docs/sample first
#
# The records that are kept are run.json, trials.jsonl and the timelines: whatever a report needs and nothing else. Make
# them on a machine that does nothing else, with: lab bench quick --experiment hog,memory --out RUN
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 1 ]; then
	rm -rf docs/sample
	mkdir -p docs/sample
	cp "$1/run.json" "$1/trials.jsonl" docs/sample/
	if [ -d "$1/timeline" ]; then
		mkdir docs/sample/timeline
		find "$1/timeline" -name '*.json' ! -name '*.trace.json' -exec cp {} docs/sample/timeline/ \;
	fi
fi
if [ ! -f docs/sample/trials.jsonl ]; then
	echo "docs/sample has no records yet: docs/picture.sh RUN takes those of a run" >&2
	exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go run ./cmd/lab report docs/sample --format html --out "$work/report" >/dev/null
# A browser that is root's has no sandbox to go to.
chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars \
	--user-data-dir="$work/profile" --window-size=1280,1360 --screenshot="$work/report.png" "file://$work/report/report.html" >/dev/null 2>&1
mkdir -p docs/images
mv "$work/report.png" docs/images/report.png
echo docs/images/report.png
