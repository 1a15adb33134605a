// # Tasks that work together
//
// Tasks of one executor take turns, so what they share needs no lock as long as nobody awaits in between. Across awaits, and
// across executors, there are [Oneshot], [Channel], [Notify], [Mutex] and [Semaphore]. They start no goroutine, their wakers
// may be used from any thread, and whoever waits is served first come, first served.
//
// # Cancel safety
//
// A future may be dropped at any point between two polls: by a timeout, by a select that another has won, by an abort. An
// operation is cancel-safe if it has then either not happened at all or is not lost. For those that wait in a queue, to be
// dropped means to lose the place in it.
//
//	operation                     dropped before it is ready                              cancel-safe
//	Sleep, Yield                  nothing has happened                                    yes
//	JoinHandle                    the task runs on; the result stays for the next poll    yes
//	FuturesUnordered.Next         values stay in the set                                  yes
//	Semaphore.Acquire, Mutex.Lock a permit that was granted goes to the next              yes
//	Notify.Notified               a NotifyOne that was granted goes to the next           yes
//	Channel.Recv                  a value that was granted goes to the next receiver      yes
//	Channel.Send                  the value has not been sent; the caller may send again  yes
//	Oneshot                       later sends are refused; one that came before is lost   no
//	Offload                       work that has begun runs on, and its result is lost     no
//	Join, Select, Timeout         what was done inside is dropped with them               as what is inside
//	Async                         unwound at its await, with all that it has done         as what it does
//	netio Read, Write, Accept     nothing has been read, written or accepted              yes
//	netio WriteAll                a part has been written, nobody learns how much         no
//	netio Connect                 the socket is closed                                    yes
package coop
