package reports

import (
	"html/template"
	"slices"
	"strings"
	"unicode/utf8"

	"turnlab/harness/record"
	"turnlab/reports/digest"
)

// An engineKey is a line of the key: an engine, a variant of one, or one with an option set.
type engineKey struct {
	Label   string // what hides and shows it; empty for a setting, which goes with its engine
	Name    string
	Decides string
	Icon    template.HTML
}

// key lists the engines of the page, each followed by its settings, with who decides under each.
func (r *report) key() []engineKey {
	var list []engineKey
	settings := r.settings()
	for _, label := range r.digest.Labels {
		list = append(list, engineKey{label, label, decides(label, nil), template.HTML(r.looks[label].Icon())})
		for _, s := range settings {
			if s.Label == label {
				list = append(list, engineKey{Name: s.Name, Decides: decides(label, optionsOf(s)), Icon: template.HTML(r.looks[s.Name].Icon())})
			}
		}
	}
	return list
}

// settings lists the series that are engines with options set, one for each choice of options. Operations are left out: how
// one is done is no answer to who decides.
func (r *report) settings() []digest.Series {
	var list []digest.Series
	for _, section := range r.shown() {
		for _, p := range section.Panels {
			for _, s := range p.Series {
				same := func(o digest.Series) bool { return o.Label == s.Label && slices.Equal(optionsOf(o), optionsOf(s)) }
				if p.Mode != record.Primitive && s.Setting != "" && !slices.ContainsFunc(list, same) {
					list = append(list, s)
				}
			}
		}
	}
	return list
}

// optionsOf names the options that are set in a series.
func optionsOf(s digest.Series) []string {
	var list []string
	for _, part := range strings.Fields(s.Setting) {
		name, _, _ := strings.Cut(part, "=")
		list = append(list, name)
	}
	return list
}

// deciders say who decides when a task gives up the CPU: the question of the lab. An engine with an option set has a sentence
// of its own where the option changes the answer.
var deciders = map[string]string{
	"coop":                    "the task decides: futures, polled on one epoll set, which nobody interrupts",
	"coop/await":              "the task decides: async functions, each on a coroutine, otherwise as coop",
	"coop yield":              "the task decides, giving way that often while it computes",
	"coop/await yield":        "the async function decides, giving way that often while it computes",
	"coop offload":            "the task decides, but leaves computing to other goroutines: between them and the executor the kernel shares the CPU",
	"coop executors":          "the task decides within its executor, the kernel between executors",
	"preempt":                 "Go’s runtime decides: a goroutine per connection, interrupted after 10 to 20 ms",
	"preempt/nopreempt":       "the goroutine decides: no signal of the runtime stops it, so it gives way where it waits or calls a function, and nowhere else",
	"preempt procs":           "Go’s runtime decides on each of that many Ps; where they outnumber the CPUs, the kernel decides between them",
	"preempt/nopreempt procs": "the goroutine decides on each of that many Ps; where they outnumber the CPUs, the kernel decides between them",
	"threads":                 "the kernel decides: an OS thread per connection, on blocking sockets",
	"threads procs":           "Go’s runtime decides among the threads: those without one of that many Ps wait for one",
	"threads/pool":            "the kernel decides: a few OS threads share all connections",
	"threads/pool size":       "the kernel decides: that many threads share all connections",
	"loop":                    "there are no tasks: the bare epoll loop, a yardstick",
	"exec":                    "a server from elsewhere",
}

// moreDeciders are said after the sentence that an engine has without the option.
var moreDeciders = map[string]string{
	"gc-every": "garbage is collected that often, and everybody stops for it",
	"yield":    "a task gives way that often while it computes",
	"offload":  "computing is left to other goroutines",
	"procs":    "on that many Ps",
}

// decides says who decides under an engine with options set.
func decides(label string, options []string) string {
	label, _, _ = strings.Cut(label, " (") // of one of two runs
	engine, _, _ := strings.Cut(label, "/")
	text, known := deciders[label]
	if !known {
		text = deciders[engine]
	}
	for _, o := range options {
		if own, changes := deciders[label+" "+o]; changes {
			text = own
		}
	}
	for _, o := range options {
		more, adds := moreDeciders[o]
		switch _, changes := deciders[label+" "+o]; {
		case changes:
		case adds:
			text += "; " + more
		default:
			text += "; with the option " + o + " set"
		}
	}
	return text
}

// inBrief cuts a sentence after its last part that fits into so many columns. Each part makes sense without what follows.
func inBrief(text string, columns int) string {
	brief := text
	for utf8.RuneCountInString(brief) > columns {
		end := strings.LastIndexAny(brief, ",:;")
		if end < 0 {
			return short(brief, columns)
		}
		brief = brief[:end]
	}
	return brief
}
