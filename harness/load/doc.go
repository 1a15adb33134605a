// Package load makes requests and times the answers: the load generator.
//
// # Closed and open loop
//
// In a closed loop each connection sends its next request when the reply to the last has come. The load then depends on
// the server: when it stalls, the generator waits, and sends nothing in exactly the moments that matter. That omission is
// coordinated with the server's troubles ("coordinated omission"), and percentiles of a closed loop look far too good. Its
// throughput and its CPU per request are sound, so the lab keeps it, labelled, for those.
//
// In an open loop requests are due at times that were fixed before the server had a say: the schedule. Users behave like
// that: they do not wait for each other's replies. A request that finds no free connection waits in the generator, and the
// wait counts.
//
// # Three latencies
//
// Each request has an intended time (from the schedule), a sent time and a done time:
//
//	response = done − intended   what a user would feel; the figure to publish
//	service  = done − sent       what the server and the network took once asked
//	slip     = sent − intended   how late the generator was, because it was slow or had no free connection
//
// In a server that freezes for a second the response time shows it in every request that was due in that second, and the
// service time in one per connection. Slip has two causes, and the result tells them apart: requests that waited for a
// connection are counted, and slip without them is the generator's own fault. A closed loop has no intended times, so it
// reports service alone.
//
// # What belongs to the window
//
// A request belongs to the measured window when its intended time (closed loop: its sent time) lies in it. When the window
// has ended no new request becomes due, and the generator waits for the replies that are still missing, at most for the
// timeout. Every request that belongs to the window ends in exactly one of answered rightly, an error of one kind, or
// unanswered. Nothing is dropped: a request that was given up (timeout, backlog, unanswered) enters the histograms with
// the age it had reached, because leaving out the slowest requests is the oldest way to a good tail. Requests that ended
// with another error (wrong, refused, reset, closed, other) have no latency; they are counted.
//
// In the closed loop a request that was sent before the window and fails in it or after it belongs to the window too: its
// connection could send no other, so a server that hangs from the warm-up on would leave an empty window without an error.
//
// Requests of several classes have their latencies apart as well, once they are answered; the class of a request without a
// reply is unknown. Who reads the tail of a class looks at unanswered and at errors first.
//
// # Connections that do not ask
//
// Most connections ask all the time. Silent ones are opened with the others and asked once, when the load has ended, which
// proves that the server has held them. Listening ones hear what others have said; each delivery has a latency of its own,
// from the time at which the message was due at its publisher, and what never comes is counted. Connections that end after
// some requests are opened again by the next one that is due on them, and that request's times begin with the connect.
//
// An error of a connection that no request of the load has made (a silent one that was lost or did not answer, one that did
// not end) counts as a request that was due and failed.
//
// # How
//
// Each thread is locked to an OS thread and runs an epoll loop of its own over its share of the connections, with raw
// system calls. It waits with epoll_pwait2(2), which takes nanoseconds. Goroutines and timers of package time would not
// do: below a millisecond they are late by up to a millisecond, which is larger than what is measured.
//
// Done is the time at which the generator has read the last byte, taken for each connection, never for a batch of events: a
// batch may take milliseconds. In the closed loop a reply's done time is also the sent time of the request that follows on
// that connection, so service includes the time in which the generator checks a reply and makes a request, well under a
// microsecond for small ones; a second look at the clock would cost about as much as it would correct. In the open loop sent is taken
// right before the system call that writes. Bytes that the kernel would not take at once are sent later; the wait counts as
// service.
//
// At a rate a thread waits awake for the last microseconds before a request is due, if it is told to (control.Load.SpinNS);
// see worker.wait. A load can be cut among several processes (control.Load.Parts), whose results Merge puts together.
//
// Limits: Linux 5.11 or newer. One address per load. Requests of one thread share the thread's connections: a request
// cannot use a connection of another thread. The arrivals of all threads together are the schedule; those of one thread are
// its share.
package load
