package fault

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// program is a proxy of which a test says what became of it, one look after the other.
type program struct {
	lives []Life
	err   error
}

func (p *program) Restart(context.Context) (time.Time, error) { return time.Now(), p.err }

func (p *program) Life(context.Context) (Life, error) {
	life := p.lives[0]
	if len(p.lives) > 1 {
		p.lives = p.lives[1:]
	}
	return life, p.err
}

func (p *program) Reload(context.Context) (time.Time, error) { return time.Now(), p.err }

func (p *program) Reloaded(context.Context) (bool, string, error) {
	life, err := p.Life(context.Background())
	return life.Listens, "what shows it", err
}

func (p *program) Start(context.Context, int) (time.Time, error) { return time.Now(), p.err }

func (p *program) Listens(context.Context, int) (bool, string, error) {
	life, err := p.Life(context.Background())
	return life.Listens, "what shows it", err
}

func (p *program) Stop(context.Context, int, bool) (time.Time, error) { return time.Now(), p.err }

func (p *program) Ended(context.Context, int) (bool, string, error) {
	life, err := p.Life(context.Background())
	return !life.Runs, "what shows it", err
}

// A start is proved by what is there after it: also a proxy that ends is one that was
// started. One of which a process from before is left was not.
func TestProofThatTheProxyWasStarted(t *testing.T) {
	starts := Life{Runs: true}
	for name, tc := range map[string]struct {
		proxy *program
		want  bool
		words string
	}{
		"listens in time":        {&program{lives: []Life{starts, starts, {Runs: true, Listens: true}}}, true, "listens"},
		"ends":                   {&program{lives: []Life{starts, {Code: 1}}}, true, "ended with code 1"},
		"some of it went on":     {&program{lives: []Life{{Left: 2, Runs: true, Listens: true}}}, false, "2 processes"},
		"nobody could look":      {&program{lives: []Life{{}}, err: errors.New("pod is gone")}, false, "pod is gone"},
		"waits for something":    {&program{lives: []Life{starts}}, true, "does not listen after 3s"},
		"ended, and some are on": {&program{lives: []Life{{Left: 1, Code: 1}}}, false, "1 processes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			proofs := RestartProxy{}.Prove(t.Context(), &Live{Proxy: tc.proxy})
			g.Expect(proofs).To(ConsistOf(HaveField("OK", tc.want)))
			g.Expect(proofs[0].Detail).To(ContainSubstring(tc.words))
		})
	}
}
