package workloads

import (
	"strings"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// HTTP is a real HTTP/1.1 server (RFC 9110, RFC 9112), as far as a benchmark can meet it: any split of the bytes,
// pipelining, keep-alive, HTTP/1.0, HEAD, bodies with Content-Length, 100-continue, limits, and a proper refusal for
// everything else. Benchmarks whose "server" looks for an empty line and sends a constant measure something that nobody
// can deploy; here the parsing is paid for.
//
//	GET /, GET /plaintext   `payload` bytes: "Hello, World!", repeated and cut
//	GET /json               {"message":"Hello, World!"}
//	POST /echo              the body back, as it arrives
//
// HEAD works wherever GET does; other methods get 405 and other paths 404, and the connection stays. A request that cannot
// be framed or is over a limit is refused and the connection ends, with a lingering close.
//
// Limits: request bodies in chunked coding get 411 (RFC 9112 §6.3 allows it); no TLS, no upgrade, no trailers, no ranges.
var HTTP = &Workload{
	Name:    "http",
	Summary: "answers HTTP/1.1 requests",
	Shows:   "a real parser at work",
	Options: option.Set{
		{Name: "path", Kind: option.Choice, Default: "plaintext", Choices: []string{"plaintext", "json", "echo"},
			Help: "what the client asks for: GET /, GET /json or POST /echo"},
		{Name: "payload", Kind: option.Size, Default: defaultHTTPPayload, Min: 1, Max: 1 << 20,
			Help: "bytes of the body of plaintext and echo; 13 is \"Hello, World!\""},
		{Name: "check", Kind: option.Choice, Default: "exact", Choices: []string{"exact", "body"},
			Help: "exact: every byte of a reply as this server sends it; body: status 200 and every byte of the body, for other servers"},
		{Name: "max-body", Kind: option.Size, Default: "1M", Min: 1, Max: 1 << 40,
			Help: "largest request body the server takes; more gets 413. 1M is the largest payload"},
	},
	NewServer:  newHTTPServer,
	NewClients: newHTTPClients,
}

const (
	helloText = "Hello, World!"

	defaultHTTPPayload = "13" // len(helloText)

	helloJSON = `{"message":"Hello, World!"}`
)

func plaintextBody(payload int) string {
	return strings.Repeat(helloText, payload/len(helloText)+1)[:payload]
}

// httpServer holds the replies, made once: a session only copies them.
type httpServer struct {
	maxBody   int64
	plain     answers
	json      answers
	missing   answers // 404
	onlyGET   answers // 405, with Allow as RFC 9110 §15.5.6 wants it
	onlyPOST  answers
	onlyThese answers
	echoStart []byte // head of an echo reply up to its length
}

func newHTTPServer(v option.Values, _ Env) (Server, error) {
	notAllowed := func(methods string) answers {
		return compose(405, "text/plain", "Allow: "+methods+"\r\n", "405 Method Not Allowed: use "+methods+"\n")
	}
	return &httpServer{
		maxBody:   int64(v.Int("max-body")),
		plain:     compose(200, "text/plain", "", plaintextBody(v.Int("payload"))),
		json:      compose(200, "application/json", "", helloJSON),
		missing:   compose(404, "text/plain", "", "404 Not Found: there are /, /plaintext, /json and /echo\n"),
		onlyGET:   notAllowed("GET, HEAD"),
		onlyPOST:  notAllowed("POST"),
		onlyThese: notAllowed("GET, HEAD, POST"),
		echoStart: headStart(200, "application/octet-stream"),
	}, nil
}

// NewSession returns the session of a connection.
func (s *httpServer) NewSession() Session { return &httpSession{server: s} }

// answersTo picks the replies for a request without a stream.
func (s *httpServer) answersTo(h *requestHead) *answers {
	reads := h.method == methodGET || h.method == methodHEAD
	switch {
	case h.route == routeNone:
		return &s.missing
	case h.route == routeEcho:
		return &s.onlyPOST
	case h.route == routeServer:
		return &s.onlyThese
	case !reads:
		return &s.onlyGET
	case h.route == routeJSON:
		return &s.json
	}
	return &s.plain
}

func newHTTPClients(v option.Values, seed uint64) (Clients, error) {
	path, payload := v.Text("path"), v.Int("payload")
	if path == "json" && v.Text("payload") != defaultHTTPPayload {
		return nil, misuse.Errorf("http.payload does nothing with http.path=json: its body is always %s", helloJSON)
	}
	if path == "echo" && payload > v.Int("max-body") {
		return nil, misuse.Errorf("http.payload %d is over http.max-body %d: the server would refuse it", payload, v.Int("max-body"))
	}
	plan := newRequestPlan(path, payload, seed)
	if v.Text("check") == "body" {
		return &bodyClients{plan}, nil
	}
	return &exactClients{plan}, nil
}
