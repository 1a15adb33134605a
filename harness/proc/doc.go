// Package proc asks the kernel what processes use, and puts them on CPUs.
//
// The lab's primary cost is CPU time per request, and it must be right for one thread as for eight thousand. Three traps
// shape this package. A sum over /proc/PID/task loses what threads that have ended had used, so CPU time is read from the
// process's own CPU clock, which keeps it and counts nanoseconds, where /proc/PID/stat counts ticks of 10 ms. The switch
// counters in /proc/PID/status belong to the first thread alone. And resident memory counts pages that processes share
// once for each of them, so memory is the proportional share, PSS.
//
// Limits: Linux only. Of another process, switches are a sum over the threads that live now, and so are the waits for a CPU.
// Memory that the kernel holds for sockets is known of the machine alone: it counts both ends of a loopback connection, and
// those of strangers (see [SocketKinds]). Kernel stacks are inferred (see [Kinds]).
package proc
