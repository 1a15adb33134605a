package workloads

import (
	"math/bits"
	"time"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// KV is a store of keys and values that speaks the protocol of Redis (RESP2), so that redis-cli, redis-benchmark and client
// libraries can talk to it, and its replies can be held against a real server's, error texts included. All connections
// share its keys: it shows what sharing costs. On a single executor sessions take turns and need no lock; elsewhere the keys
// are dealt out to shards with a mutex each.
//
// Commands: PING ECHO SET (EX PX NX XX GET KEEPTTL) GET MGET MSET DEL EXISTS INCR INCRBY APPEND STRLEN EXPIRE (NX XX GT LT)
// TTL DBSIZE FLUSHDB COMMAND INFO CONFIG GET SELECT QUIT, as arrays of bulk strings or inline, pipelined at will.
//
// Differences from Redis: one database; a bulk string of at most kvBulkMax bytes and a command below MaxUnread, values that
// grow to kvValueMax; MGET, MSET, DEL, EXISTS, DBSIZE and FLUSHDB with several shards take each key, or each shard, by
// itself and not all at one moment. Keys that have expired are dropped when they are met, and a few per tenth of a second
// beside writes. When the memory is used up, commands that need more are refused as Redis does without eviction.
//
// The client: which key is read or written next follows from the trial's seed. A value says which key it is for and which
// request wrote it, so that a reply is known to be right whatever other connections have done in between: it is what some
// client has written under that key, whole, and never older than the connection's own last write.
var KV = &Workload{
	Name:    "kv",
	Summary: "keeps keys and values, speaking Redis's protocol",
	Shows:   "shared state: turns or locks",
	Options: option.Set{
		{Name: "keys", Kind: option.Int, Default: "10k", Min: 1, Max: 1 << 20,
			Help: "how many keys there are; 10k with small values stay in the second-level cache"},
		{Name: "value", Kind: option.Size, Default: "64", Min: kvValueHead, Max: kvBulkMax,
			Help: "bytes of a value; 64 is small enough that copying does not count"},
		{Name: "reads", Kind: option.Float, Default: "90%", Min: 0, Max: 1,
			Help: "share of the requests that are GET, the others are SET; 90% is what caches see"},
		{Name: "skew", Kind: option.Float, Default: "0", Min: 0, Max: 4,
			Help: "exponent of Zipf's law: key number r is chosen in proportion to 1/r^skew; 0 is even, 0.99 is YCSB's"},
		{Name: "preload", Kind: option.Choice, Default: "on", Choices: []string{"on", "off"},
			Help: "on: the server starts with all keys set, so that every trial is steady from its start and no GET may miss; off for other servers"},
		{Name: "memory", Kind: option.Size, Default: "1G", Min: 1 << 20, Max: 1 << 40,
			Help: "bytes of keys and values that the server holds before it refuses more; 1G holds the default keys a thousand times"},
	},
	NewServer:  newKVServer,
	NewClients: newKVClients,
}

// Bounds of the store.
const (
	kvBulkMax  = 32 << 10 // bytes of one argument
	kvValueMax = 1 << 20  // bytes of a value that APPEND has made
	kvShards   = 64       // where sessions run on several threads: far more than CPUs of a server that a generator can fill
)

type kvServer struct{ store kvStore }

func newKVServer(v option.Values, env Env) (Server, error) {
	keys, value := v.Int("keys"), v.Int("value")
	if need := int64(keys) * kvCost(kvKeyLength, value); v.Text("preload") == "on" && need > int64(v.Int("memory"))/2 {
		return nil, misuse.Errorf("%d keys with values of %d bytes take %d bytes, more than half of kv.memory %d: raise it or use fewer",
			keys, value, need, v.Int("memory"))
	}
	s := new(kvServer)
	s.store.open(env, int64(v.Int("memory")))
	if v.Text("preload") == "on" {
		made := newKVValues(value)
		for k := range keys {
			s.store.set(appendKVKey(nil, uint32(k)), made.append(nil, kvStamp{key: uint32(k), conn: kvPreloaded}))
		}
	}
	return s, nil
}

// NewSession returns the session of a connection.
func (s *kvServer) NewSession() Session { return &kvSession{store: &s.store} }

type kvSession struct {
	store *kvStore
	need  int32 // bytes that must have come before the next command can be complete
	done  int32 // arguments of the command under way that have been answered; for MGET, whose reply may have to wait
}

// Step carries out all complete commands.
func (s *kvSession) Step(x *Exchange) Op {
	var room [8][]byte // enough for most commands; longer ones take memory of their own
	for len(x.In) > 0 && len(x.Out) < FlushAt {
		if len(x.In) < int(s.need) {
			return s.wait(x)
		}
		c := parseCommand(x.In, room[:0])
		switch {
		case c.fault != "":
			x.Out = append(append(append(x.Out, "-ERR Protocol error: "...), c.fault...), "\r\n"...)
			return Op{Kind: Close, Linger: true}
		case c.length == 0:
			s.need = int32(c.need)
			return s.wait(x)
		case len(c.args) > 0:
			end := s.run(x, c.args)
			if end == kvUnfinished {
				return Op{Kind: Flush}
			}
			if end == kvLeave {
				x.In = x.In[c.length:]
				return Op{Kind: Close, Linger: len(x.In) > 0}
			}
		}
		x.In = x.In[c.length:]
		s.need = 0
	}
	if len(x.Out) >= FlushAt {
		return Op{Kind: Flush}
	}
	return readOn(x)
}

// wait waits for the rest of a command. One that cannot be completed within MaxUnread is refused here, because the engine
// would close without a word.
func (s *kvSession) wait(x *Exchange) Op {
	if len(x.In) < MaxUnread {
		return readOn(x)
	}
	if x.In[0] == '*' {
		x.Out = append(x.Out, "-ERR Protocol error: too big a command\r\n"...)
	} else {
		x.Out = append(x.Out, "-ERR Protocol error: too big inline request\r\n"...)
	}
	return Op{Kind: Close, Linger: true}
}

// kvClock is the time as the store sees it, in milliseconds. It begins late, so that sums of it and a huge time to live
// overflow as those of a server do that counts from 1970.
func kvClock(now func() time.Duration) func() int64 {
	const late = 1 << 41
	if now == nil {
		return func() int64 { return late }
	}
	return func() int64 { return late + now().Milliseconds() }
}

// kvCost estimates the memory that a key and a value take: their bytes, in the size classes of the allocator, a map's slot
// and an entry.
func kvCost(key, value int) int64 {
	class := func(n int) int64 {
		if n < 16 {
			return 16
		}
		step := 1 << (bits.Len(uint(n)) - 3)
		return int64((n + step - 1) / step * step)
	}
	return class(key) + class(value) + 80
}
