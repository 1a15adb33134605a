package workloads_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"turnlab/internal/misuse"
	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

// kvTalk is a connection to a kv server with a clock that the test moves.
type kvTalk struct {
	*testing.T
	player *sessiontest.Player
	now    *time.Duration
}

func talkKV(t *testing.T, settings ...string) kvTalk {
	t.Helper()
	v, err := workloads.KV.Options.Resolve(map[string]string{"preload": "off"})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(settings); i += 2 {
		o, _ := workloads.KV.Options.Find(settings[i])
		if v[settings[i]], err = o.Parse(settings[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	now := new(time.Duration)
	server, err := workloads.KV.NewServer(v, workloads.Env{Now: func() time.Duration { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	return kvTalk{t, sessiontest.NewPlayer(server.NewSession()), now}
}

// ask sends a command, words between blanks, and compares the reply.
func (k kvTalk) ask(line, want string) {
	k.Helper()
	if got := k.send(line); got != want {
		k.Errorf("%.100s: got %.200q, want %q", line, got, want)
	}
}

func (k kvTalk) send(line string) string {
	k.player.Out = nil
	k.player.Send([]byte(command(strings.Split(line, " ")...)))
	return string(k.player.Out)
}

func TestKVKeysExpire(t *testing.T) {
	k := talkKV(t)
	k.ask("SET a 1 PX 1500", "+OK\r\n")
	k.ask("SET b 1 EX 10", "+OK\r\n")
	*k.now = time.Second
	k.ask("TTL a", ":1\r\n") // rounded, half up
	k.ask("TTL b", ":9\r\n")
	k.ask("INCR a", ":2\r\n") // keeps the time to live
	*k.now = 1500 * time.Millisecond
	k.ask("GET a", "$1\r\n2\r\n") // until its last millisecond
	*k.now = 1501 * time.Millisecond
	k.ask("GET a", "$-1\r\n")
	k.ask("EXISTS a b", ":1\r\n")
	k.ask("TTL a", ":-2\r\n")
	k.ask("SET b 2 KEEPTTL", "+OK\r\n")
	k.ask("TTL b", ":8\r\n")
	k.ask("SET b 2", "+OK\r\n")
	k.ask("TTL b", ":-1\r\n")
	k.ask("EXPIRE b 5", ":1\r\n")
	k.ask("EXPIRE b 9 LT", ":0\r\n")
	k.ask("EXPIRE b -1", ":1\r\n")
	k.ask("SET b 3 XX", "$-1\r\n")
}

func TestKVDropsExpiredKeysThatNobodyAsksFor(t *testing.T) {
	k := talkKV(t)
	for i := range 200 {
		k.ask(fmt.Sprintf("SET gone%d x PX 1", i), "+OK\r\n")
	}
	k.ask("DBSIZE", ":200\r\n")
	for range 1000 { // each write may drop a few
		*k.now += 200 * time.Millisecond
		k.ask("SET kept x", "+OK\r\n")
	}
	k.ask("DBSIZE", ":1\r\n")
}

func TestKVHoldsNoMoreThanItsMemory(t *testing.T) {
	k := talkKV(t, "memory", "1M")
	value := strings.Repeat("v", 10000)
	stored := 0
	for k.send(fmt.Sprintf("SET key%d %s", stored, value)) == "+OK\r\n" {
		if stored++; stored > 1000 {
			t.Fatal("1000 values of 10,000 bytes in 1 MiB")
		}
	}
	if stored < 80 {
		t.Errorf("full after %d values of 10,000 bytes", stored)
	}
	const refused = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
	for _, line := range []string{"SET key0 x", "SET new x EX 5", "APPEND key0 x", "INCR n", "MSET a 1 b 2"} {
		k.ask(line, refused)
	}
	k.ask("STRLEN key0", ":10000\r\n")
	k.ask("DEL key0 key1 key2", ":3\r\n")
	k.ask("SET key0 x", "+OK\r\n")
}

func TestKVGivesMemoryBackForEverythingItDrops(t *testing.T) {
	k := talkKV(t, "memory", "1M")
	value := strings.Repeat("v", 30000)
	for i := range 300 { // 9 MB in all
		k.ask("SET a "+value, "+OK\r\n")
		k.ask("APPEND a "+value, ":60000\r\n")
		switch i % 4 {
		case 0:
			k.ask("DEL a", ":1\r\n")
		case 1:
			k.ask("FLUSHDB", "+OK\r\n")
		case 2:
			k.ask("SET a x PX 10", "+OK\r\n")
			*k.now += time.Second
			k.ask("GET a", "$-1\r\n")
		}
	}
}

// A short command must not make a reply without bound.
func TestKVSendsALongReplyInPieces(t *testing.T) {
	k := talkKV(t)
	value := strings.Repeat("v", 30000)
	k.ask("SET a "+value, "+OK\r\n")
	k.player.Ops = nil
	got := k.send("MGET" + strings.Repeat(" a", 1000))
	want := "*1000\r\n" + strings.Repeat("$30000\r\n"+value+"\r\n", 1000)
	if got != want {
		t.Fatalf("%d bytes, want %d", len(got), len(want))
	}
	if n := len(k.player.Ops); n < len(want)/(workloads.FlushAt+30020) {
		t.Fatalf("%d bytes in %d steps", len(want), n)
	}
	k.ask("PING", "+PONG\r\n")
}

func TestKVRefusesCommandsThatAreTooLong(t *testing.T) {
	for in, want := range map[string]string{
		strings.Repeat("x", workloads.MaxUnread):                              "-ERR Protocol error: too big inline request\r\n",
		"*3\r\n" + strings.Repeat("$30000\r\n"+strings.Repeat("x", 30002), 3): "-ERR Protocol error: too big a command\r\n",
		"*1\r\n$32769\r\n": "-ERR Protocol error: invalid bulk length\r\n",
		"*10923\r\n":       "-ERR Protocol error: invalid multibulk length\r\n",
	} {
		got := play(emptyKV(t), false, chop([]byte(in), 16<<10)...)
		if got.out != want || !got.closed || !got.linger {
			t.Errorf("%.40q: %v", in, got)
		}
	}
}

// A page can make a browser talk to any port; what it sends must not be carried out line by line.
func TestKVLeavesWhenItIsSpokenToInHTTP(t *testing.T) {
	for _, in := range []string{"POST / HTTP/1.1\r\nSET a 1\r\n", "Host: x\r\nSET a 1\r\n"} {
		if got := play(emptyKV(t), false, []byte(in)); got.out != "" || !got.closed {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestKVDescribesItself(t *testing.T) {
	k := talkKV(t)
	k.ask("SET a 1", "+OK\r\n")
	k.ask("SET b 1 EX 5", "+OK\r\n")
	if got := k.send("INFO"); !strings.Contains(got, "db0:keys=2,expires=1,") {
		t.Errorf("INFO: %q", got)
	}
	k.ask("COMMAND COUNT", ":21\r\n")
	if got := k.send("COMMAND"); !strings.HasPrefix(got, "*21\r\n") || !strings.Contains(got, "*6\r\n$4\r\nmset\r\n:-3\r\n*0\r\n:1\r\n:-1\r\n:2\r\n") {
		t.Errorf("COMMAND: %q", got)
	}
}

func TestKVStartsWithAllKeysUnlessToldOtherwise(t *testing.T) {
	server, clients := resolve(t, workloads.KV, []string{"keys", "100", "reads", "1"})
	if got := play(server, false, []byte("DBSIZE\r\n")); got.out != ":100\r\n" {
		t.Fatal(got)
	}
	c := clients.NewClient(0)
	p := newPlayer(server)
	for range 300 {
		p.Send(c.Request(nil))
	}
	if replies, err := deliver(t, c, p.Out, 100); replies != 300 || err != nil {
		t.Fatal(replies, err)
	}
	v, err := workloads.KV.Options.Resolve(map[string]string{"keys": "100k", "value": "32k"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workloads.KV.NewServer(v, workloads.Env{}); !misuse.Is(err) {
		t.Fatalf("3 GB of keys in 1 GiB: error %v", err)
	}
}

// Every interleaving of connections must satisfy every client. Run it under the race detector, too.
func TestKVClientsAgreeWithAnyInterleaving(t *testing.T) {
	settings := []string{"keys", "50", "reads", "50%", "skew", "1"}
	v, err := workloads.KV.Options.Resolve(map[string]string{"keys": "50", "reads": "50%", "skew": "1"})
	if err != nil {
		t.Fatal(err)
	}
	server, err := workloads.KV.NewServer(v, workloads.Env{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	_, clients := resolve(t, workloads.KV, settings)
	var group sync.WaitGroup
	for conn := range 8 {
		c := clients.NewClient(conn)
		group.Go(func() {
			p := sessiontest.NewPlayer(server.NewSession())
			for range 300 {
				for range 1 + conn {
					p.Send(c.Request(nil))
				}
				replies, err := deliver(t, c, p.Out, 1000)
				if replies != 1+conn || err != nil {
					t.Errorf("connection %d: %d replies, %v", conn, replies, err)
					return
				}
				p.Out = p.Out[:0]
			}
		})
	}
	group.Wait()
}

// kvValue returns the value that a client's next request, a SET, writes, as the reply to a GET.
func kvValue(t *testing.T, c workloads.Client) (reply string) {
	t.Helper()
	words := strings.Split(string(c.Request(nil)), "\r\n")
	if words[2] != "SET" {
		t.Fatalf("no SET: %q", words)
	}
	return words[5] + "\r\n" + strings.Join(words[6:], "\r\n")
}

func TestKVClientTellsAStaleValueFromAFreshOne(t *testing.T) {
	_, clients := resolve(t, workloads.KV, []string{"keys", "1", "reads", "0"})
	writer, other := clients.NewClient(0), clients.NewClient(1)
	old, fresh, foreign := kvValue(t, writer), kvValue(t, writer), kvValue(t, other)
	future := kvValue(t, writer)

	// Clients of connection 0 too, whose first two writes are the same.
	for name, c := range map[string]struct {
		reply string
		right bool
	}{"its own last": {fresh, true}, "another's": {foreign, true}, "its own before": {old, false}, "one from the future": {future, false},
		"none": {"$-1\r\n", false}} {
		reader := readerAfterTwoWrites(t)
		reader.Request(nil)
		replies, err := deliver(t, reader, []byte(c.reply), 10)
		if right := replies == 1 && err == nil; right != c.right {
			t.Errorf("%s: %d replies, %v", name, replies, err)
		}
	}
}

// readerAfterTwoWrites returns a client of connection 0 whose first two requests were SETs and whose third is a GET.
func readerAfterTwoWrites(t *testing.T) workloads.Client {
	t.Helper()
	for seed := range uint64(1000) {
		v, err := workloads.KV.Options.Resolve(map[string]string{"keys": "1", "reads": "50%", "preload": "off"})
		if err != nil {
			t.Fatal(err)
		}
		clients, err := workloads.KV.NewClients(v, seed)
		if err != nil {
			t.Fatal(err)
		}
		trial := clients.NewClient(0)
		three := string(trial.Request(trial.Request(trial.Request(nil))))
		if strings.Count(three, "SET") == 2 && strings.HasPrefix(three[strings.LastIndex(three, "*"):], "*2") {
			clients, _ = workloads.KV.NewClients(v, seed)
			client := clients.NewClient(0)
			client.Request(client.Request(nil))
			if replies, err := deliver(t, client, []byte("+OK\r\n+OK\r\n"), 3); replies != 2 || err != nil {
				t.Fatal(replies, err)
			}
			return client
		}
	}
	t.Fatal("no seed gives SET SET GET")
	return nil
}

func TestKVKeysAreChosenByZipfsLaw(t *testing.T) {
	for _, skew := range []float64{0, 0.99, 2} {
		c := newClient(t, workloads.KV, "keys", "100", "reads", "1", "skew", fmt.Sprint(skew))
		const requests = 100000
		counts := map[string]int{}
		for range requests {
			request := string(c.Request(nil))
			counts[request[len(request)-14:len(request)-2]]++
		}
		sum := 0.0
		for r := range 100 {
			sum += math.Pow(float64(r+1), -skew)
		}
		for r := range 100 {
			want := requests * math.Pow(float64(r+1), -skew) / sum
			got := float64(counts[fmt.Sprintf("%012d", r)])
			if math.Abs(got-want) > 6*math.Sqrt(want)+1 {
				t.Errorf("skew %v: key %d chosen %v times, want %.0f", skew, r, got, want)
			}
		}
	}
}

func benchmarkKV(b *testing.B, shared bool, commands ...string) {
	v, err := workloads.KV.Options.Resolve(nil)
	if err != nil {
		b.Fatal(err)
	}
	server, err := workloads.KV.NewServer(v, workloads.Env{Shared: shared})
	if err != nil {
		b.Fatal(err)
	}
	s := server.NewSession()
	in := []byte(strings.Join(commands, ""))
	var x workloads.Exchange
	b.ReportAllocs()
	for b.Loop() {
		x.In, x.Out = in, x.Out[:0]
		if s.Step(&x).Kind != workloads.Read {
			b.Fatal("the session does not ask for more")
		}
	}
}

func BenchmarkKVStep(b *testing.B) {
	key := "key:000000000007"
	get, set := command("GET", key), command("SET", key, strings.Repeat("v", 64))
	for _, shared := range []bool{false, true} {
		b.Run(fmt.Sprintf("get/shared=%v", shared), func(b *testing.B) { benchmarkKV(b, shared, get) })
		b.Run(fmt.Sprintf("set/shared=%v", shared), func(b *testing.B) { benchmarkKV(b, shared, set) })
		b.Run(fmt.Sprintf("get/depth=16/shared=%v", shared), func(b *testing.B) { benchmarkKV(b, shared, strings.Repeat(get, 16)) })
	}
	b.Run("incr", func(b *testing.B) { benchmarkKV(b, false, command("INCR", "n")) })
	b.Run("ping inline", func(b *testing.B) { benchmarkKV(b, false, "PING\r\n") })
}

func BenchmarkKVClient(b *testing.B) {
	server, clients := resolve(b, workloads.KV, nil)
	c, s := clients.NewClient(0), server.NewSession()
	var x workloads.Exchange
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = c.Request(buf[:0])
		x.In, x.Out = buf, x.Out[:0]
		s.Step(&x)
		if _, done, err := c.Reply(x.Out); !done || err != nil {
			b.Fatal(done, err)
		}
	}
}
