// Slowed is an echo server on package net that does a little more work for each request than it need: the server that a
// comparison must find. See aa.sh.
//
//	slowed ADDR NS
//
// NS is how much work there is for each read, in nanoseconds of this machine when nothing disturbs it. It is work and not
// time, like everything that the lab burns. 0 is a server without a fault.
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"turnlab/workloads"
)

func main() {
	if len(os.Args) != 3 {
		fail("usage: slowed ADDR NS")
	}
	extra, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil || extra < 0 {
		fail("NS must be a number of nanoseconds, 0 or more")
	}
	began := time.Now()
	unit := workloads.Calibrate(func() time.Duration { return time.Since(began) }).Nanoseconds()
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fail(err.Error())
	}
	for {
		c, err := l.Accept()
		if err != nil {
			fail(err.Error())
		}
		go echo(c, extra, unit)
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, "slowed:", text)
	os.Exit(2)
}

// echo sends back what comes. A unit of work is longer than the extra work of a request, so a connection owes until it has
// a unit together.
func echo(c net.Conn, extra, unit int64) {
	defer c.Close()
	buffer := make([]byte, 4096)
	owed := int64(0)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		for owed += extra; owed >= unit; owed -= unit {
			workloads.Work(1)
		}
		if _, err := c.Write(buffer[:n]); err != nil {
			return
		}
	}
}
