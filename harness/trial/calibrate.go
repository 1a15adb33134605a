package trial

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/load"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// Before a run measures servers at rates, it finds out what its generator can do, against a server that does nothing but
// answer (load.NullMain). Rates above that are refused: what they would measure is the generator (RFC 9971 asks the same
// of a measurer, and mutilate's authors found servers "saturated" that their one client could not fill).
//
// What a generator can do depends on the load, so each shape of it is calibrated: workload and options, transport, depth,
// threads, generators, and the number of connections to a factor of 4, up to calibrateConns. A shape takes an eighth of a
// second when the generator keeps the highest rate that is asked for, which is the rule, and a second or two when it
// does not. Rates that are no work (load.CalibrateEase) are not tried. Workloads whose sessions need other sessions or servers
// cannot be answered by a null responder; their rates are not refused, and each trial's own flags are what one has.
const (
	maxShapes       = 8    // calibrated in a run: those with the highest rates
	calibrateConns  = 1024 // more connections take longer to open than to measure
	calibrateWarmup = 20 * time.Millisecond
	calibrateWindow = 100 * time.Millisecond
	calibrateLimit  = 200 * time.Millisecond // for a reply, and for what is still due
)

// A shape is what loads have in common whose rates one calibration decides.
type shape struct {
	point record.Point // the one with the most connections
	most  float64      // the highest rate that is asked for; 0 is no bound
}

// Calibrate finds out what the generator can do with each shape of load among the points that have a rate. With search true
// the rates are still to be found, so that every point counts and there is no highest.
func (l *Lab) Calibrate(ctx context.Context, points []record.Point, search bool) (found []record.Calibration, err error) {
	shapes := shapesOf(points, search)
	for i := 0; i < len(shapes) && i < maxShapes && err == nil; i++ {
		var c record.Calibration
		if c, err = l.calibrate(ctx, shapes[i]); err == nil {
			found = append(found, c)
		}
	}
	return found, err
}

// shapesOf collects the shapes, those with the highest rates first.
func shapesOf(points []record.Point, search bool) (shapes []*shape) {
	byKey := map[string]*shape{}
	for _, p := range points {
		if !calibrates(p, search) {
			continue
		}
		s := byKey[shapeKey(p)]
		if s == nil {
			s = &shape{point: p}
			byKey[shapeKey(p)], shapes = s, append(shapes, s)
		}
		if p.Number("conns") > s.point.Number("conns") {
			s.point = p
		}
		s.most = max(s.most, p.Number("rate"))
	}
	slices.SortStableFunc(shapes, func(a, b *shape) int { return cmp.Compare(b.most, a.most) })
	return shapes
}

// calibrates reports whether a point's rate can be held against what the generator can do. A rate that is a share of what a
// point can do is not known yet, and keeps the bound by itself.
func calibrates(p record.Point, search bool) bool {
	w, err := workloads.Find(p.Workload)
	if err != nil || w.NewServer == nil || p.Mode == record.Primitive || !search && p.Number("rate") <= load.CalibrateEase {
		return false
	}
	_, isShare := p.Params["rate-share"]
	return !isShare && !w.Uses(workloads.Call) && !w.Uses(workloads.Publish) && !w.Uses(workloads.Receive)
}

// shapeKey is the same for points of one shape.
func shapeKey(p record.Point) string {
	conns := math.Min(math.Max(p.Number("conns"), 1), calibrateConns)
	return fmt.Sprint(p.Workload, p.Options(p.Workload), (bits.Len(uint(conns-1))+1)/2, p.Text("transport"), p.Text("depth"),
		p.Text("threads"), p.Text("generators"), p.Text("spin"), p.Text("client-cpus"), p.Text("server-cpus"))
}

// calibrate measures a shape.
func (l *Lab) calibrate(ctx context.Context, s *shape) (c record.Calibration, err error) {
	t := &record.Trial{Point: s.point, Seed: 1}
	t.Params = calibrationParams(s.point)
	address, cleanUp, err := control.ListenAddress(t.Text("transport"))
	if err != nil {
		return c, err
	}
	defer cleanUp()
	null, err := control.Spawn(ctx, control.Command{
		Name: "null responder", Args: []string{"child", "null"}, Program: l.Program,
		Start: pinned(t.Text("server-cpus")),
	})
	if err != nil {
		return c, err
	}
	defer null.Kill()
	ready, err := null.Ask(ctx, control.Request{Do: control.Start, Server: &control.Server{
		Workload: t.Workload, Network: t.Text("transport"), Address: address, Settings: t.Options(t.Workload), Conns: int(t.Number("conns")),
	}}, control.Ready, l.grace())
	if err != nil {
		return c, err
	}
	spec := control.Load{RateRPS: s.most, WindowNS: calibrateWindow.Nanoseconds()}
	c, err = load.Calibrate(ctx, spec, reach(t), func(ctx context.Context, spec control.Load) (control.LoadResult, error) {
		t.Params["rate"] = spec.RateRPS
		return l.try(ctx, t, ready.Address)
	})
	delete(t.Params, "rate")
	c.Workload, c.Params = t.Workload, t.Params
	if err != nil {
		return c, err
	}
	return c, null.Stop(ctx, l.grace())
}

// calibrationParams returns those parameters of a point that shape its load.
func calibrationParams(p record.Point) map[string]any {
	params := map[string]any{}
	for name, v := range p.Params {
		if owner, _, dotted := strings.Cut(name, "."); owner == p.Workload && dotted {
			params[name] = v
		}
	}
	for _, name := range []string{"depth", "transport", "threads", "generators", "spin", "client-cpus", "server-cpus"} {
		params[name] = p.Params[name]
	}
	params["conns"] = math.Min(p.Number("conns"), calibrateConns)
	params["warmup"], params["duration"], params["timeout"] = calibrateWarmup.String(), calibrateWindow.String(), calibrateLimit.String()
	return params
}

// reach returns how many CPUs the generators of t can use.
func reach(t *record.Trial) float64 {
	cpus, err := proc.ParseCPUs(t.Text("client-cpus"))
	if err != nil {
		return 1
	}
	threads := math.Max(1, t.Number("threads")) * math.Max(1, t.Number("generators"))
	return math.Max(1, math.Min(float64(cpus.Len()), math.Min(threads, t.Number("conns"))))
}

// try makes one load against the null responder.
func (l *Lab) try(ctx context.Context, t *record.Trial, address string) (control.LoadResult, error) {
	g, err := l.startGenerators(ctx, t, address)
	if err != nil {
		return control.LoadResult{}, err
	}
	defer g.Kill()
	if _, err := g.begin(ctx, calibrateWarmup+l.grace()); err != nil {
		return control.LoadResult{}, err
	}
	if _, err := g.edge(ctx, control.Measured, calibrateWindow+l.grace()); err != nil {
		return control.LoadResult{}, err
	}
	r, err := g.result(ctx, 2*calibrateLimit+l.grace())
	if err != nil {
		return control.LoadResult{}, err
	}
	return *r, g.Stop(ctx, l.grace())
}

// Refuse returns the mistake of asking for a rate that the generator cannot keep, if one of the points does.
func Refuse(points []record.Point, calibrations []record.Calibration) error {
	for _, p := range points {
		most, known := GenMax(p, calibrations)
		if rate := p.Number("rate"); known && calibrates(p, false) && rate > most {
			return misuse.Errorf("rate %.0f of %s at %s connections: the generator keeps %.0f per second at most (gen_max, found "+
				"against a null responder), so the latencies would be its own: lower --rate, or give it more CPUs (--client-cpus)",
				rate, p.Workload, p.Text("conns"), most)
		}
	}
	return nil
}

// GenMax returns the highest rate that the generator keeps with p's shape of load. It is not known when the shape was not
// calibrated, or when the highest rate that was tried passed.
func GenMax(p record.Point, calibrations []record.Calibration) (rps float64, known bool) {
	key := shapeKey(record.Point{Workload: p.Workload, Params: calibrationParams(p)})
	for _, c := range calibrations {
		if c.Workload == p.Workload && shapeKey(record.Point{Workload: c.Workload, Params: c.Params}) == key {
			return c.GenMaxRPS, !c.AtLeast
		}
	}
	return 0, false
}
