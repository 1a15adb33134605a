package engine

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"turnlab/workloads"
)

func TestInputKeepsUnreadBytesInOrderWhateverComes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		in := NewInput(512)
		var x workloads.Exchange
		var next, due byte // of the bytes that come, and of those that are consumed
		for range 100 {
			room := in.Room(&x)
			if len(room) == 0 {
				t.Fatalf("no room with %d bytes unread", len(x.In))
			}
			n := rnd.IntN(len(room) + 1)
			for i := range n {
				room[i] = next
				next++
			}
			in.Got(&x, n)
			for range rnd.IntN(len(x.In) + 1) {
				if x.In[0] != due {
					t.Fatalf("byte %d, want %d", x.In[0], due)
				}
				x.In, due = x.In[1:], due+1
			}
			if rnd.IntN(4) == 0 {
				in.Shrink(&x)
			}
			if len(x.In) >= workloads.MaxUnread {
				break
			}
		}
	}
}

func TestInputGrowsToItsBoundAndShrinksBack(t *testing.T) {
	in := NewInput(512)
	var x workloads.Exchange
	for len(x.In) < workloads.MaxUnread {
		before := bytes.Clone(x.In)
		room := in.Room(&x)
		in.Got(&x, len(room))
		if !bytes.HasPrefix(x.In, before) {
			t.Fatal("growth lost bytes")
		}
	}
	if len(x.In) != workloads.MaxUnread {
		t.Errorf("%d bytes are unread, the bound is %d", len(x.In), workloads.MaxUnread)
	}
	in.Shrink(&x)
	if len(in.buf) != workloads.MaxUnread {
		t.Error("it shrank although bytes are unread")
	}
	x.In = nil
	in.Shrink(&x)
	if len(in.Room(&x)) != 512 {
		t.Errorf("it shrank to %d bytes", len(in.buf))
	}
}
