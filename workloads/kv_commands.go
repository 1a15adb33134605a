package workloads

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// kvVerb is a command's name as a number.
type kvVerb uint8

const (
	verbNone kvVerb = iota
	verbPing
	verbEcho
	verbSet
	verbGet
	verbMGet
	verbMSet
	verbDel
	verbExists
	verbIncr
	verbIncrBy
	verbAppend
	verbStrlen
	verbExpire
	verbTTL
	verbDBSize
	verbFlushDB
	verbCommand
	verbInfo
	verbConfig
	verbSelect
	verbQuit
)

// kvVerbs describes the commands as COMMAND lists them: how many arguments, the name included (at least, when negative), and
// which of them are keys.
var kvVerbs = [...]struct {
	name              string
	arity             int
	first, last, step int
}{
	verbPing:    {name: "ping", arity: -1},
	verbEcho:    {name: "echo", arity: 2},
	verbSet:     {"set", -3, 1, 1, 1},
	verbGet:     {"get", 2, 1, 1, 1},
	verbMGet:    {"mget", -2, 1, -1, 1},
	verbMSet:    {"mset", -3, 1, -1, 2},
	verbDel:     {"del", -2, 1, -1, 1},
	verbExists:  {"exists", -2, 1, -1, 1},
	verbIncr:    {"incr", 2, 1, 1, 1},
	verbIncrBy:  {"incrby", 3, 1, 1, 1},
	verbAppend:  {"append", 3, 1, 1, 1},
	verbStrlen:  {"strlen", 2, 1, 1, 1},
	verbExpire:  {"expire", -3, 1, 1, 1},
	verbTTL:     {"ttl", 2, 1, 1, 1},
	verbDBSize:  {name: "dbsize", arity: 1},
	verbFlushDB: {name: "flushdb", arity: -1},
	verbCommand: {name: "command", arity: -1},
	verbInfo:    {name: "info", arity: -1},
	verbConfig:  {name: "config", arity: -2},
	verbSelect:  {name: "select", arity: 2},
	verbQuit:    {name: "quit", arity: -1},
}

// verbOf finds a command by its name, in any case. The compiler turns the switch into a search without allocation.
func verbOf(name []byte) kvVerb {
	var lower [7]byte
	if len(name) > len(lower) {
		return verbNone
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	switch string(lower[:len(name)]) {
	case "get":
		return verbGet
	case "set":
		return verbSet
	case "ping":
		return verbPing
	case "incr":
		return verbIncr
	}
	for v := verbPing; int(v) < len(kvVerbs); v++ {
		if kvVerbs[v].name == string(lower[:len(name)]) {
			return v
		}
	}
	return verbNone
}

// kvEnd is how a command ended.
type kvEnd uint8

const (
	kvAnswered   kvEnd = iota
	kvUnfinished       // its reply goes on after a Flush
	kvLeave            // the connection ends
)

// Error texts that come up in several places.
const (
	errKVInteger  = "ERR value is not an integer or out of range"
	errKVSyntax   = "ERR syntax error"
	errKVOverflow = "ERR increment or decrement would overflow"
	errKVMemory   = "OOM command not allowed when used memory > 'maxmemory'."
	errKVLength   = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
)

// run carries out a command and appends its reply.
func (s *kvSession) run(x *Exchange, args [][]byte) kvEnd {
	verb := verbOf(args[0])
	if verb == verbNone {
		return unknownCommand(x, args)
	}
	if arity := kvVerbs[verb].arity; len(args) != arity && (arity > 0 || len(args) < -arity) {
		x.Out = appendError(x.Out, wrongNumber(kvVerbs[verb].name))
		return kvAnswered
	}
	switch verb {
	case verbGet:
		x.Out = s.store.get(x.Out, args[1])
	case verbSet:
		x.Out = s.store.setCommand(x.Out, args)
	case verbMGet:
		return s.mget(x, args[1:])
	case verbQuit:
		x.Out = append(x.Out, kvOK...)
		return kvLeave
	default:
		x.Out = s.store.rarer(x.Out, verb, args)
	}
	return kvAnswered
}

// rarer carries out the commands whose speed does not count as much.
func (st *kvStore) rarer(out []byte, verb kvVerb, args [][]byte) []byte {
	switch verb {
	case verbPing:
		return ping(out, args)
	case verbEcho:
		return appendBulk(out, args[1])
	case verbMSet:
		return st.mset(out, args)
	case verbDel:
		return st.del(out, args[1:])
	case verbExists:
		return st.exists(out, args[1:])
	case verbIncr:
		return st.increase(out, args[1], 1)
	case verbIncrBy:
		return st.incrBy(out, args)
	case verbAppend:
		return st.appendCommand(out, args[1], args[2])
	case verbStrlen:
		return st.strlen(out, args[1])
	case verbExpire:
		return st.expireCommand(out, args)
	case verbTTL:
		return st.ttl(out, args[1])
	case verbDBSize:
		keys, _ := st.size()
		return appendNumber(out, int64(keys))
	case verbFlushDB:
		return st.flushCommand(out, args)
	case verbCommand:
		return describe(out, args)
	case verbInfo:
		return st.info(out)
	case verbConfig:
		return config(out, args)
	}
	return selectCommand(out, args[1])
}

func ping(out []byte, args [][]byte) []byte {
	switch len(args) {
	case 1:
		return append(out, "+PONG\r\n"...)
	case 2:
		return appendBulk(out, args[1])
	}
	return appendError(out, wrongNumber("ping"))
}

func (st *kvStore) get(out []byte, key []byte) []byte {
	sh := st.lock(key)
	if e := st.find(sh, key); e != nil {
		out = appendBulk(out, e.value)
	} else {
		out = append(out, kvNil...)
	}
	st.unlock(sh)
	return out
}

// mget answers key by key and lets the output out in between, so that one short command cannot make it grow by thousands of
// long values.
func (s *kvSession) mget(x *Exchange, keys [][]byte) kvEnd {
	if s.done == 0 {
		x.Out = appendLength(x.Out, '*', len(keys))
	}
	for _, key := range keys[s.done:] {
		x.Out = s.store.get(x.Out, key)
		s.done++
		if len(x.Out) >= FlushAt && int(s.done) < len(keys) {
			return kvUnfinished
		}
	}
	s.done = 0
	return kvAnswered
}

func (st *kvStore) mset(out []byte, args [][]byte) []byte {
	if len(args)%2 == 0 {
		return appendError(out, wrongNumber("mset"))
	}
	for i := 1; i < len(args); i += 2 {
		if !st.setOne(args[i], args[i+1]) {
			return appendError(out, errKVMemory)
		}
	}
	return append(out, kvOK...)
}

// setOne sets a key for good, and reports whether there was memory for it.
func (st *kvStore) setOne(key, value []byte) bool {
	sh := st.lock(key)
	defer st.unlock(sh)
	if st.full(sh) {
		return false
	}
	e := st.find(sh, key)
	if e == nil {
		e = sh.add(key)
	}
	sh.put(key, e, value)
	sh.expire(e, 0)
	st.sweep(sh)
	return true
}

// setOptions are the words behind SET key value.
type setOptions struct {
	ifMissing, ifThere, get, keepTTL bool
	expire                           []byte // the number after EX or PX
	unit                             int64  // ms of its unit
}

// setCommand is SET key value [NX|XX] [GET] [EX seconds|PX milliseconds|KEEPTTL].
func (st *kvStore) setCommand(out []byte, args [][]byte) []byte {
	if len(args) == 3 {
		if !st.setOne(args[1], args[2]) {
			return appendError(out, errKVMemory)
		}
		return append(out, kvOK...)
	}
	o, ok := readSetOptions(args[3:])
	if !ok {
		return appendError(out, errKVSyntax)
	}
	var at int64
	if o.expire != nil {
		var fault string
		if at, fault = st.deadline(o.expire, o.unit); fault != "" {
			return appendError(out, fault)
		}
	}
	sh := st.lock(args[1])
	defer st.unlock(sh)
	if st.full(sh) {
		return appendError(out, errKVMemory)
	}
	return st.setWith(out, sh, args[1], args[2], o, at)
}

func readSetOptions(words [][]byte) (o setOptions, ok bool) {
	for i := 0; i < len(words); i++ {
		hasNext := i+1 < len(words)
		switch w := words[i]; {
		case same(w, "nx") && !o.ifThere:
			o.ifMissing = true
		case same(w, "xx") && !o.ifMissing:
			o.ifThere = true
		case same(w, "get"):
			o.get = true
		case same(w, "keepttl") && o.expire == nil:
			o.keepTTL = true
		case same(w, "ex") && !o.keepTTL && o.unit != 1 && hasNext:
			o.unit, o.expire = 1000, words[i+1]
			i++
		case same(w, "px") && !o.keepTTL && o.unit != 1000 && hasNext:
			o.unit, o.expire = 1, words[i+1]
			i++
		default:
			return o, false
		}
	}
	return o, true
}

// deadline turns a time to live into the moment of its end.
func (st *kvStore) deadline(text []byte, unit int64) (at int64, fault string) {
	n, ok := parseInteger(text)
	if !ok {
		return 0, errKVInteger
	}
	now := st.clock()
	if n <= 0 || n > math.MaxInt64/unit || n*unit > math.MaxInt64-now {
		return 0, "ERR invalid expire time in 'set' command"
	}
	return now + n*unit, ""
}

func (st *kvStore) setWith(out []byte, sh *kvShard, key, value []byte, o setOptions, at int64) []byte {
	e := st.find(sh, key)
	switch {
	case o.get && e != nil:
		out = appendBulk(out, e.value)
	case o.get:
		out = append(out, kvNil...)
	}
	if o.ifMissing && e != nil || o.ifThere && e == nil {
		if !o.get {
			out = append(out, kvNil...)
		}
		return out
	}
	if e == nil {
		e = sh.add(key)
	}
	sh.put(key, e, value)
	if !o.keepTTL {
		sh.expire(e, at)
	}
	st.sweep(sh)
	if !o.get {
		out = append(out, kvOK...)
	}
	return out
}

func (st *kvStore) del(out []byte, keys [][]byte) []byte {
	n := int64(0)
	for _, key := range keys {
		sh := st.lock(key)
		if e := st.find(sh, key); e != nil {
			sh.drop(string(key), e)
			n++
		}
		st.unlock(sh)
	}
	return appendNumber(out, n)
}

// exists counts a key as often as it is named.
func (st *kvStore) exists(out []byte, keys [][]byte) []byte {
	n := int64(0)
	for _, key := range keys {
		sh := st.lock(key)
		if st.find(sh, key) != nil {
			n++
		}
		st.unlock(sh)
	}
	return appendNumber(out, n)
}

func (st *kvStore) incrBy(out []byte, args [][]byte) []byte {
	by, ok := parseInteger(args[2])
	if !ok {
		return appendError(out, errKVInteger)
	}
	return st.increase(out, args[1], by)
}

// increase adds to a number. It is kept as text, as all values are, and keeps its time to live.
func (st *kvStore) increase(out []byte, key []byte, by int64) []byte {
	sh := st.lock(key)
	defer st.unlock(sh)
	if st.full(sh) {
		return appendError(out, errKVMemory)
	}
	n := int64(0)
	e := st.find(sh, key)
	if e != nil {
		var ok bool
		if n, ok = parseInteger(e.value); !ok {
			return appendError(out, errKVInteger)
		}
	}
	if by > 0 && n > math.MaxInt64-by || by < 0 && n < math.MinInt64-by {
		return appendError(out, errKVOverflow)
	}
	if e == nil {
		e = sh.add(key)
	}
	var room [20]byte
	sh.put(key, e, strconv.AppendInt(room[:0], n+by, 10))
	st.sweep(sh)
	return appendNumber(out, n+by)
}

func (st *kvStore) appendCommand(out []byte, key, more []byte) []byte {
	sh := st.lock(key)
	defer st.unlock(sh)
	if st.full(sh) {
		return appendError(out, errKVMemory)
	}
	e := st.find(sh, key)
	if e == nil {
		e = sh.add(key)
	}
	if len(e.value)+len(more) > kvValueMax {
		return appendError(out, errKVLength)
	}
	room := cap(e.value)
	e.value = append(e.value, more...)
	sh.resized(key, e, room)
	st.sweep(sh)
	return appendNumber(out, int64(len(e.value)))
}

func (st *kvStore) strlen(out []byte, key []byte) []byte {
	sh := st.lock(key)
	defer st.unlock(sh)
	if e := st.find(sh, key); e != nil {
		return appendNumber(out, int64(len(e.value)))
	}
	return appendNumber(out, 0)
}

// expireCommand is EXPIRE key seconds [NX|XX|GT|LT].
func (st *kvStore) expireCommand(out []byte, args [][]byte) []byte {
	o, fault := readExpireOptions(args[3:])
	if fault != "" {
		return appendError(out, fault)
	}
	seconds, ok := parseInteger(args[2])
	now := st.clock()
	switch {
	case !ok:
		return appendError(out, errKVInteger)
	case seconds > math.MaxInt64/1000 || seconds < math.MinInt64/1000 || seconds*1000 > math.MaxInt64-now:
		return appendError(out, "ERR invalid expire time in 'expire' command")
	}
	return appendNumber(out, st.expire(args[1], now, now+seconds*1000, o))
}

// expireOptions are conditions on when a key expires before the command.
type expireOptions struct{ never, ever, later, sooner bool }

func readExpireOptions(words [][]byte) (o expireOptions, fault string) {
	for _, w := range words {
		switch {
		case same(w, "nx"):
			o.never = true
		case same(w, "xx"):
			o.ever = true
		case same(w, "gt"):
			o.later = true
		case same(w, "lt"):
			o.sooner = true
		default:
			return o, "ERR Unsupported option " + cText(w, math.MaxInt)
		}
	}
	switch {
	case o.never && (o.ever || o.later || o.sooner):
		return o, "ERR NX and XX, GT or LT options at the same time are not compatible"
	case o.later && o.sooner:
		return o, "ERR GT and LT options at the same time are not compatible"
	}
	return o, ""
}

// allow reports whether a key that expires at was (0: never) may expire at another time instead. Never is later than all.
func (o expireOptions) allow(was, at int64) bool {
	switch {
	case o.never && was != 0, o.ever && was == 0:
		return false
	case o.later:
		return was != 0 && at > was
	case o.sooner:
		return was == 0 || at < was
	}
	return true
}

// expire makes a key expire if its options allow it, and returns 1 if they do.
func (st *kvStore) expire(key []byte, now, at int64, o expireOptions) int64 {
	sh := st.lock(key)
	defer st.unlock(sh)
	e := st.find(sh, key)
	switch {
	case e == nil || !o.allow(e.expires, at):
		return 0
	case at <= now:
		sh.drop(string(key), e)
	default:
		sh.expire(e, at)
	}
	return 1
}

// ttl answers with whole seconds, rounded: -1 for a key that never expires, -2 for none.
func (st *kvStore) ttl(out []byte, key []byte) []byte {
	sh := st.lock(key)
	defer st.unlock(sh)
	switch e := st.find(sh, key); {
	case e == nil:
		return appendNumber(out, -2)
	case e.expires == 0:
		return appendNumber(out, -1)
	default:
		return appendNumber(out, (e.expires-st.clock()+500)/1000)
	}
}

func (st *kvStore) flushCommand(out []byte, args [][]byte) []byte {
	if len(args) > 2 || len(args) == 2 && !same(args[1], "sync") && !same(args[1], "async") {
		return appendError(out, errKVSyntax)
	}
	st.flush()
	return append(out, kvOK...)
}

// describe is COMMAND, with which redis-cli asks for help texts. There are none.
func describe(out []byte, args [][]byte) []byte {
	switch {
	case len(args) == 1:
		out = appendLength(out, '*', len(kvVerbs)-1)
		for _, v := range kvVerbs[1:] {
			out = appendLength(out, '*', 6)
			out = appendBulk(out, []byte(v.name))
			out = appendNumber(out, int64(v.arity))
			out = append(out, "*0\r\n"...)
			out = appendNumber(out, int64(v.first))
			out = appendNumber(out, int64(v.last))
			out = appendNumber(out, int64(v.step))
		}
		return out
	case same(args[1], "docs"):
		return append(out, "*0\r\n"...)
	case same(args[1], "count") && len(args) == 2:
		return appendNumber(out, int64(len(kvVerbs)-1))
	}
	return appendError(out, unknownSubcommand(args))
}

func (st *kvStore) info(out []byte) []byte {
	keys, expiring := st.size()
	text := fmt.Sprintf("# Server\r\nserver_name:turnlab kv\r\n\r\n# Keyspace\r\ndb0:keys=%d,expires=%d,avg_ttl=0\r\n", keys, expiring)
	return appendBulk(out, []byte(text))
}

// config is CONFIG GET, with which redis-benchmark asks what persistence costs: nothing, there is none.
func config(out []byte, args [][]byte) []byte {
	if !same(args[1], "get") {
		return appendError(out, unknownSubcommand(args))
	}
	if len(args) == 2 {
		return appendError(out, wrongNumber("config|get"))
	}
	known := [][2]string{{"save", ""}, {"appendonly", "no"}, {"databases", "1"}}
	var found [][2]string
	for _, k := range known {
		for _, pattern := range args[2:] {
			if same(pattern, k[0]) || string(pattern) == "*" {
				found = append(found, k)
				break
			}
		}
	}
	out = appendLength(out, '*', 2*len(found))
	for _, f := range found {
		out = appendBulk(appendBulk(out, []byte(f[0])), []byte(f[1]))
	}
	return out
}

func selectCommand(out []byte, text []byte) []byte {
	switch n, ok := parseInteger(text); {
	case !ok:
		return appendError(out, errKVInteger)
	case n < math.MinInt32 || n > math.MaxInt32:
		return appendError(out, "ERR value is out of range, value must between -2147483648 and 2147483647")
	case n != 0:
		return appendError(out, "ERR DB index is out of range")
	}
	return append(out, kvOK...)
}

// unknownCommand names the command and the beginning of its arguments. Two names end the connection without a word: they
// are what a browser sends that a page has tricked into talking to this port.
func unknownCommand(x *Exchange, args [][]byte) kvEnd {
	if same(args[0], "post") || same(args[0], "host:") {
		return kvLeave
	}
	var b strings.Builder
	for _, a := range args[1:] {
		if b.Len() >= 128 {
			break
		}
		fmt.Fprintf(&b, "'%s' ", cText(a, 128-b.Len()))
	}
	x.Out = appendError(x.Out, "ERR unknown command '"+cText(args[0], 128)+"', with args beginning with: "+b.String())
	return kvAnswered
}

func unknownSubcommand(args [][]byte) string {
	return fmt.Sprintf("ERR unknown subcommand '%s'. Try %s HELP.", cText(args[1], 128), strings.ToUpper(cText(args[0], 128)))
}

func wrongNumber(name string) string {
	return "ERR wrong number of arguments for '" + name + "' command"
}

// cText returns text as C's printf shows it: up to a zero byte, at most most bytes.
func cText(b []byte, most int) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b[:min(len(b), most)])
}

// Replies that never differ.
const (
	kvOK  = "+OK\r\n"
	kvNil = "$-1\r\n"
)

// appendError appends an error, whose text may hold what a peer has sent.
func appendError(dst []byte, text string) []byte {
	return append(append(append(dst, '-'), oneLine([]byte(text))...), "\r\n"...)
}

// oneLine makes blanks of line ends.
func oneLine(text []byte) string {
	line := bytes.Clone(text)
	for i, c := range line {
		if c == '\r' || c == '\n' {
			line[i] = ' '
		}
	}
	return string(line)
}

func appendNumber(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(append(dst, ':'), n, 10), "\r\n"...)
}

func appendLength(dst []byte, mark byte, n int) []byte {
	return append(strconv.AppendInt(append(dst, mark), int64(n), 10), "\r\n"...)
}

func appendBulk(dst, b []byte) []byte {
	return append(append(appendLength(dst, '$', len(b)), b...), "\r\n"...)
}
