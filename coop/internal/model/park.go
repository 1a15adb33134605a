package model

import (
	"errors"
	"time"

	"turnlab/coop/internal/model/standin"
)

// Park is the modelled driver of an executor: a place to sleep, with an eventfd and a clock.
//
// The eventfd is a flag: a ring that comes before the wait is kept, several are one. Time stands still but for sleeps with
// a limit, which may end at any moment.
type Park struct {
	Rings  int // how often it was woken
	Sleeps int
	Closed bool
	rung   bool
	now    int64
}

// Wait sleeps until somebody rings or, if there is a limit, until the scheduler says that it has passed.
func (p *Park) Wait(limit time.Duration) error {
	if p.Closed {
		return errors.New("a wait after Close")
	}
	if limit != 0 && standin.Running != nil {
		p.Sleeps++
		standin.Running.Block("sleep", func() bool { return p.rung || limit > 0 })
	}
	if !p.rung && limit > 0 {
		p.now += int64(limit)
	}
	p.rung = false
	return nil
}

// Wake rings.
func (p *Park) Wake() {
	if standin.Running != nil {
		standin.Running.Point("ring")
	}
	p.Rings++
	p.rung = true
}

// Now returns the time.
func (p *Park) Now() int64 { return p.now }

// Close is called once.
func (p *Park) Close() error {
	if p.Closed {
		return errors.New("closed twice")
	}
	p.Closed = true
	return nil
}
