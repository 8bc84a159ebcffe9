package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/images"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/reaper"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/testbed"
	"github.com/proxychaos/proxychaos/harness/wayin"
)

// Cell is one scenario on one subject.
type Cell struct {
	Scenario harness.Scenario
	Subject  harness.Subject
}

// Options say how cells are run.
type Options struct {
	Settings harness.Settings
	wayin.Wanted
	// Runs is the folder of the recordings.
	Runs string
	// Parallel is how many cells run at a time.
	Parallel int
	// Log gets one line for each thing that happens.
	Log io.Writer
	// NeedsEngine says that none of the cells can be run without an engine, so that
	// it is an error if there is none.
	NeedsEngine bool
	// InstallEngine says that a Docker engine, and mmdebstrap, may be installed and started
	// if they are missing, which root can do on Debian.
	InstallEngine bool
	// Compile says that a program of which there is no image and no package may be built from
	// its Go module, which takes minutes: whoever asks for its kind wants that.
	Compile bool
	// Binary is the build of cmd/proxychaos for the agents; empty to build it.
	Binary string
	// Make says that make asked: the line that runs a cell again is make's.
	Make bool
	// Shown says that whoever runs the cells shows in the end why one broke off: the progress
	// then says it in short.
	Shown bool
	// Claim is the one whose experiment a cell is, if its scenario is none of the catalogue's:
	// that is run again, since nobody else has the scenario.
	Claim string

	engine, testbed string
}

// Shared is what several processes that run cells of one suite have in common: one
// engine, one image of the agents, one reaper. It goes from one to the others as JSON.
type Shared struct {
	Engine engine.Engine     `json:"engine"`
	Labels map[string]string `json:"labels"` // of everything that is started
	Kit    string            `json:"kit"`    // the image of the agents
	Tally  Tally             `json:"tally"`
	// Embedded says that there is no engine.
	Embedded bool `json:"embedded,omitempty"`
}

// Result is what became of one cell.
type Result struct {
	Cell
	Dir      string // of the recording; empty if there is none
	Manifest recording.Manifest
	Verdict  judge.Verdict
	// NotRun says why the cell could not be run here, which is neither red
	// nor green.
	NotRun string
	// Err is what broke.
	Err error
}

// Lab is what all cells of one run share: the engine, the images, the reaper.
type Lab struct {
	opt    Options
	began  time.Time
	docker *client.Client
	shared Shared
	finder *images.Finder
	closes []func() error
	logMu  sync.Mutex
	tally  *tally       // nil if cells are not counted
	next   atomic.Int64 // where the next cell looks for a subnet
	spares spares

	proxyMu sync.Mutex
	proxies map[kind.Release]*pending
}

// pending is an image that is being put in place, once for all who wait.
type pending struct {
	once  sync.Once
	image images.Image
	err   error
}

// InsistsOnEngine says whether it is an error if there is no engine.
func (o Options) InsistsOnEngine() bool { return o.NeedsEngine || os.Getenv("CI") == "true" }

// canRunOn says why no cell can be run on an operating system.
func canRunOn(system string) error {
	if system == "linux" {
		return nil
	}
	return fmt.Errorf("proxies are run on Linux alone, and this is %s: do this in a Linux machine with a Docker engine; what was recorded there can be judged and shown here (recheck, report)", system)
}

// Open finds the engine (or installs one, see Options), builds the agents' image and starts the
// reaper. Without an engine only goproxy can be run, embedded. That is an error with CI=true,
// or if another proxy is to be run.
func Open(ctx context.Context, opt Options) (*Lab, error) {
	lab := &Lab{opt: opt, began: time.Now(), proxies: map[kind.Release]*pending{}}
	if err := canRunOn(runtime.GOOS); err != nil {
		return lab, err
	}
	if err := opt.CanRecord(); err != nil {
		return lab, err
	}
	e, err := lab.findEngine(ctx)
	if errors.Is(err, engine.ErrNoEngine) && !opt.InsistsOnEngine() {
		lab.logf("%v; goproxy alone is run, in this process on 127.0.0.0/8, and all others are left out", err)
		lab.shared.Embedded = true
		return lab, lab.connect()
	}
	if err != nil {
		return lab, err
	}
	lab.shared.Engine, lab.shared.Labels = e, reaper.NewSession()
	if err := lab.connect(); err != nil {
		return lab, err
	}
	return lab, lab.startReaper(ctx)
}

// findEngine finds an engine whose containers can be reached from here.
func (l *Lab) findEngine(ctx context.Context) (e engine.Engine, err error) {
	if l.opt.InstallEngine {
		e, err = engine.Ensure(ctx, l)
	} else {
		e, err = engine.Find(ctx)
	}
	if err == nil {
		err = e.Here(ctx)
	}
	return e, err
}

// Join is Open in another process, with what the first has opened: it starts nothing
// of its own, and what it runs ends at the latest with the first.
func Join(opt Options, shared Shared) (*Lab, error) {
	lab := &Lab{opt: opt, began: time.Now(), shared: shared, proxies: map[kind.Release]*pending{}}
	return lab, errors.Join(lab.connect(), lab.joinTally())
}

// Shared is what another process needs for Join.
func (l *Lab) Shared() Shared { return l.shared }

// connect readies the way to the engine.
func (l *Lab) connect() error {
	if l.shared.Embedded {
		l.opt.testbed = recording.Embedded
		return nil
	}
	l.opt.testbed, l.opt.engine = recording.Containers, l.shared.Engine.Version
	if err := l.shared.Engine.SetTestcontainersEnv(); err != nil {
		return err
	}
	var err error
	if l.docker, err = l.shared.Engine.Client(); err != nil {
		return err
	}
	l.closes = append(l.closes, l.docker.Close)
	quiet()
	l.finder = images.New(l.docker, l, l.shared.Labels)
	l.finder.MayInstall, l.finder.MayCompile = l.opt.InstallEngine, l.opt.Compile
	return nil
}

// Write makes the lab's log a Writer for whole lines.
func (l *Lab) Write(p []byte) (int, error) {
	l.logMu.Lock()
	defer l.logMu.Unlock()
	// In one piece: others write to the same terminal.
	if _, err := fmt.Fprintf(l.opt.Log, "[%6.1fs]%s %s", time.Since(l.began).Seconds(), l.tally, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (l *Lab) logf(format string, args ...any) {
	fmt.Fprintf(l, format+"\n", args...)
}

// Embedded says that there is no engine, so that only goproxy can be run.
func (l *Lab) Embedded() bool { return l.shared.Embedded }

// Fetch puts the images of the cells in place, all at once, and returns when they
// are there. It comes before the first cell: making an image keeps both cores of a small
// machine busy, so that a cell beside it could not hold its load. An error is left to
// the cell.
func (l *Lab) Fetch(ctx context.Context, cells []Cell) {
	var fetching sync.WaitGroup
	for _, c := range cells {
		fetching.Go(func() { _, _ = l.image(ctx, c.Subject) })
	}
	fetching.Wait()
}

// Run runs the cells, Options.Parallel at a time, and returns their results in
// the same order. It does not stop at the first that breaks.
func (l *Lab) Run(ctx context.Context, cells []Cell) []Result {
	results := make([]Result, len(cells))
	l.Fetch(ctx, cells)
	l.Expect(len(cells), l.opt.Parallel)
	label := Labels(cells)
	var group errgroup.Group
	group.SetLimit(max(1, l.opt.Parallel))
	for i, c := range cells {
		group.Go(func() error {
			running := l.Begin(c, label(c))
			results[i] = running.Run(ctx)
			results[i].Err = errors.Join(results[i].Err, running.Close())
			return nil
		})
	}
	_ = group.Wait() // every error is in its result
	return results
}

// Labels names each of the cells in the progress: by its subject, and by its
// scenario if they are not all of the same one.
func Labels(cells []Cell) func(Cell) string {
	several := slices.ContainsFunc(cells, func(c Cell) bool { return c.Scenario.Name != cells[0].Scenario.Name })
	return func(c Cell) string {
		if several {
			return fmt.Sprintf("%-18s %-28s", c.Scenario.Name, c.Subject.ID())
		}
		return fmt.Sprintf("%-28s", c.Subject.ID())
	}
}

// errNeedsEngine: the embedded testbed has goproxy only.
var errNeedsEngine = errors.New("needs a Docker engine")

// open readies a testbed for a cell.
func (l *Lab) open(ctx context.Context, c *cell) (bed, error) {
	literals := c.config.IPv6()
	ipv6 := c.Scenario.World.IPv6() || len(literals) > 0
	proxies := c.Scenario.World.Proxies()
	if l.Embedded() {
		switch {
		case proxies > 1:
			return nil, fmt.Errorf("%w, since it needs %d proxies", errNeedsEngine, proxies)
		case ipv6:
			return nil, fmt.Errorf("%w, since it needs IPv6 between proxy and nodes", errNeedsEngine)
		}
		if c.config.Resolvers != nil {
			return nil, fmt.Errorf("%w, since %s has a search list, which the C library follows", errNeedsEngine, c.config.Resolvers.Name)
		}
		return openEmbedded(ctx, int(l.next.Add(1)), c.opt.Settings.Seed, c.config)
	}
	bed, err := l.openContainers(ctx, c.image.Ref, c.config, proxies, ipv6, c.opt.Settings.Seed)
	if errors.Is(err, testbed.ErrNoIPv6) && len(literals) > 0 {
		err = fmt.Errorf("%s: it names %s: %w", c.config.Path, literals[0], err)
	}
	return bed, err
}

// Close ends what Open started, and what the cells have left.
func (l *Lab) Close() error {
	errs := []error{l.spares.close()}
	for i := len(l.closes) - 1; i >= 0; i-- {
		errs = append(errs, l.closes[i]())
	}
	return errors.Join(errs...)
}
