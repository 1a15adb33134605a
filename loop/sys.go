package loop

import (
	"fmt"

	"golang.org/x/sys/unix"

	"turnlab/internal/nonblock"
)

// register puts a descriptor on epoll's list.
func register(poll, fd int, events uint32) error {
	if errno := nonblock.Control(poll, unix.EPOLL_CTL_ADD, fd, events, 0); errno != 0 {
		return fmt.Errorf("epoll_ctl: %w", errno)
	}
	return nil
}

// openPoll opens the epoll descriptor with the listener and an eventfd on its list.
func (e *Engine) openPoll() (wake int, err error) {
	if e.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return -1, fmt.Errorf("epoll_create1: %w", err)
	}
	wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(e.poll)
		return -1, fmt.Errorf("eventfd: %w", err)
	}
	err = register(e.poll, wake, unix.EPOLLIN)
	if err == nil {
		err = register(e.poll, e.listener.FD, unix.EPOLLIN)
	}
	if err != nil {
		e.closePoll(wake)
	}
	return wake, err
}

// closePoll closes what openPoll opened, after which Stop has nobody to wake.
func (e *Engine) closePoll(wake int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wake = -1
	_ = unix.Close(wake)
	_ = unix.Close(e.poll)
}

// arm tells Stop whom to wake. It reports false when Stop has been called already.
func (e *Engine) arm(wake int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wake = wake
	return !e.stopped
}

// Stop wakes the loop for the last time.
func (e *Engine) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	if e.wake >= 0 {
		_, _ = unix.Write(e.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}
