package proc

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// SocketKinds says what the kernel's memory for sockets is, as Kinds does. It is of the whole machine and knows no process,
// so that only the growth since before a server was started means something, and of a loopback connection both ends.
var SocketKinds = []Kind{
	{"sockets", "bytes queued in TCP sockets and set aside for that, both ends of each connection (sockstat, mem)"},
	{"socket_slabs", "kernel objects of sockets, both ends of each connection: socket, inode, file (slabinfo; root only)"},
}

// SocketMemory reads what the kernel holds for all sockets of the machine. What cannot be read is absent.
func SocketMemory() map[string]uint64 {
	out := map[string]uint64{}
	if pages, ok := tcpPages(); ok {
		out["sockets"] = uint64(pages) * uint64(os.Getpagesize())
	}
	if n, ok := slabBytes(); ok {
		out["socket_slabs"] = n
	}
	return out
}

func tcpPages() (int, bool) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0, false
	}
	stat, err := fs.NetSockstat()
	if err != nil {
		return 0, false
	}
	for _, p := range stat.Protocols {
		if p.Protocol == "TCP" && p.Mem != nil {
			return *p.Mem, true
		}
	}
	return 0, false
}

// slabs are the caches that a socket takes an object from. Directory entries (192 bytes) and epoll's items (128) are not
// among them: of the first the whole file system has some, and of the second the kernel counts freed ones for a while.
var slabs = []string{"TCP", "TCPv6", "UNIX", "sock_inode_cache", "filp"}

// slabBytes adds up the objects in use of slabs. The lines of /proc/slabinfo are: name, objects in use, objects, bytes of one.
func slabBytes() (sum uint64, ok bool) {
	file, err := os.Open("/proc/slabinfo")
	if err != nil {
		return 0, false
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !slices.Contains(slabs, fields[0]) {
			continue
		}
		used, err1 := strconv.ParseUint(fields[1], 10, 64)
		size, err2 := strconv.ParseUint(fields[3], 10, 64)
		if err1 == nil && err2 == nil {
			sum, ok = sum+used*size, true
		}
	}
	return sum, ok
}

// Grown returns by how much memory has grown, by kind. A kind that has shrunk is absent: others gave back more than was
// taken, and the figure would be theirs.
func Grown(before, after map[string]uint64) map[string]uint64 {
	out := map[string]uint64{}
	for kind, n := range after {
		if was, ok := before[kind]; ok && n >= was {
			out[kind] = n - was
		}
	}
	return out
}
