package workloads

import (
	"encoding/binary"
	"fmt"
)

// Bounds of a frame.
const (
	FrameHeader = 4        // bytes of a frame before its body
	FrameMax    = 32 << 10 // most bytes of a body: a frame fits into what a session may leave unread
)

// AppendFrame appends a frame with the given body. A body above FrameMax panics: whoever made it has broken the contract.
func AppendFrame(dst, body []byte) []byte {
	if len(body) > FrameMax {
		panic(fmt.Sprintf("workloads: a frame of %d bytes; the bound is %d", len(body), FrameMax))
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)))
	return append(dst, body...)
}

// CutFrame returns the body of the frame that in begins with, a part of in, and the length of the whole frame. With n = 0
// and no error the frame is not complete yet. The error means that its length is above FrameMax, which no upstream sends
// and no amount of reading would complete.
func CutFrame(in []byte) (body []byte, n int, err error) {
	if len(in) < FrameHeader {
		return nil, 0, nil
	}
	size := binary.BigEndian.Uint32(in)
	if size > FrameMax {
		return nil, 0, fmt.Errorf("a frame of %d bytes; at most %d are allowed", size, FrameMax)
	}
	n = FrameHeader + int(size)
	if len(in) < n {
		return nil, 0, nil
	}
	return in[FrameHeader:n:n], n, nil
}
