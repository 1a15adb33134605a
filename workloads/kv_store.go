package workloads

import (
	"hash/maphash"
	"sync"
	"time"
)

// kvStore is the keys and values. A key belongs to one shard, and whoever looks at it holds the shard's lock, unless
// sessions take turns anyhow.
type kvStore struct {
	shards []kvShard
	shared bool
	seed   maphash.Seed
	clock  func() int64 // ms
	limit  int64        // bytes of one shard
}

// kvShard is padded to two cache lines, so that threads that work on neighbours do not disturb each other.
type kvShard struct {
	mu       sync.Mutex
	entries  map[string]*kvEntry
	used     int64 // bytes, by kvCost
	expiring int   // entries that expire
	sweptMS  int64
	_        [128 - 40]byte
}

type kvEntry struct {
	value   []byte
	expires int64 // ms of the store's clock; 0 is never
}

func (st *kvStore) open(env Env, memory int64) {
	shards := 1
	if env.Shared {
		shards = kvShards
	}
	*st = kvStore{
		shards: make([]kvShard, shards), shared: env.Shared, seed: maphash.MakeSeed(),
		clock: kvClock(env.Now), limit: memory / int64(shards),
	}
	for i := range st.shards {
		st.shards[i].entries = map[string]*kvEntry{}
	}
}

// lock returns the shard of a key, to be unlocked.
func (st *kvStore) lock(key []byte) *kvShard {
	if !st.shared {
		return &st.shards[0]
	}
	sh := &st.shards[maphash.Bytes(st.seed, key)%kvShards]
	sh.mu.Lock()
	return sh
}

func (st *kvStore) unlock(sh *kvShard) {
	if st.shared {
		sh.mu.Unlock()
	}
}

// each calls f with every shard, locked.
func (st *kvStore) each(f func(*kvShard)) {
	for i := range st.shards {
		sh := &st.shards[i]
		if st.shared {
			sh.mu.Lock()
		}
		f(sh)
		st.unlock(sh)
	}
}

// find returns the entry of a key, or nil. It drops the entry when it has expired, and asks for the time only then when
// it can.
func (st *kvStore) find(sh *kvShard, key []byte) *kvEntry {
	e := sh.entries[string(key)]
	if e != nil && e.expires != 0 && st.clock() > e.expires {
		sh.drop(string(key), e)
		return nil
	}
	return e
}

// full reports whether a shard may not grow any more.
func (st *kvStore) full(sh *kvShard) bool { return sh.used > st.limit }

// drop removes an entry.
func (sh *kvShard) drop(key string, e *kvEntry) {
	sh.used -= kvCost(len(key), cap(e.value))
	sh.expire(e, 0)
	delete(sh.entries, key)
}

// expire sets when an entry expires.
func (sh *kvShard) expire(e *kvEntry, at int64) {
	if e.expires != 0 {
		sh.expiring--
	}
	if at != 0 {
		sh.expiring++
	}
	e.expires = at
}

// add makes an entry for a key that has none.
func (sh *kvShard) add(key []byte) *kvEntry {
	e := new(kvEntry)
	sh.entries[string(key)] = e
	sh.used += kvCost(len(key), 0)
	return e
}

// put changes an entry's value to value, in the memory of the old one where that fits and is not far too much.
func (sh *kvShard) put(key []byte, e *kvEntry, value []byte) {
	room := cap(e.value)
	if len(value) <= room && room <= 4*len(value)+64 {
		e.value = append(e.value[:0], value...)
		return
	}
	e.value = append([]byte(nil), value...)
	sh.resized(key, e, room)
}

// resized accounts for a value whose room was another before.
func (sh *kvShard) resized(key []byte, e *kvEntry, before int) {
	sh.used += kvCost(len(key), cap(e.value)) - kvCost(len(key), before)
}

// set is SET without conditions.
func (st *kvStore) set(key, value []byte) {
	sh := st.lock(key)
	e := sh.entries[string(key)]
	if e == nil {
		e = sh.add(key)
	}
	sh.put(key, e, value)
	st.unlock(sh)
}

// A sweep looks at a few entries, so that keys that nobody asks for again do not stay for ever.
const (
	sweepGap     = 100 * time.Millisecond
	sweepEntries = 20
)

// sweep drops what has expired among a few entries, which the map chooses. Writes call it: a store that is only read does
// not grow.
func (st *kvStore) sweep(sh *kvShard) {
	if sh.expiring == 0 {
		return
	}
	now := st.clock()
	if now-sh.sweptMS < sweepGap.Milliseconds() {
		return
	}
	sh.sweptMS = now
	seen := 0
	for key, e := range sh.entries {
		if e.expires != 0 && now > e.expires {
			sh.drop(key, e)
		}
		if seen++; seen == sweepEntries {
			return
		}
	}
}

// size returns the number of keys, with those that have expired unnoticed.
func (st *kvStore) size() (keys, expiring int) {
	st.each(func(sh *kvShard) {
		keys += len(sh.entries)
		expiring += sh.expiring
	})
	return keys, expiring
}

// flush drops all keys.
func (st *kvStore) flush() {
	st.each(func(sh *kvShard) {
		sh.entries, sh.used, sh.expiring = map[string]*kvEntry{}, 0, 0
	})
}
