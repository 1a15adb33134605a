package coop

import (
	"os/exec"
	"strings"
	"testing"
	"unsafe"
)

func TestVetComplainsAboutCopiesOfFutures(t *testing.T) {
	out, err := exec.Command("go", "vet", "./testdata/copied").CombinedOutput()
	if err == nil {
		t.Fatal("go vet accepts every copy")
	}
	for _, copied := range []string{
		"coop.Sleep", "coop.FuturesUnordered", "coop.OffloadFuture", "coop.JoinHandle", "coop.TimeoutFuture", "coop.AbortHandle",
		"coop.Context", "call of coop.Pin copies lock value",
	} {
		if !strings.Contains(string(out), copied) {
			t.Errorf("go vet does not complain about %s:\n%s", copied, out)
		}
	}
	if strings.Contains(string(out), "PinLocal") || strings.Count(string(out), "copies lock value") != 8 {
		t.Errorf("go vet should complain about each copy and about nothing else:\n%s", out)
	}
}

func TestPinMovesAValueOnceAndCopiesOfThePinnedShareIt(t *testing.T) {
	v := [2]int{1, 2}
	p := Pin(v)
	q := p
	q.Get()[0] = 7
	if p.Get() != q.Get() || p.Get()[0] != 7 || v[0] != 1 {
		t.Errorf("%v %v %v: Pin should move the value to one place of its own", p.Get(), q.Get(), v)
	}
}

func TestPinLocalUsesTheCallersVariable(t *testing.T) {
	var s Sleep
	if PinLocal(&s).Get() != &s {
		t.Error("PinLocal should not move the value")
	}
}

func TestPinnedAnswersMisuse(t *testing.T) {
	panicsWith(t, "address of a variable", func() { PinLocal[int](nil) })
	panicsWith(t, "zero Pinned", func() { Pinned[int]{}.Get() })
}

func TestNoCopyTakesRoomOnlyWhenItChecks(t *testing.T) {
	if size := unsafe.Sizeof(noCopy{}); (size > 0) != checksCopies {
		t.Errorf("noCopy has %d bytes", size)
	}
}
