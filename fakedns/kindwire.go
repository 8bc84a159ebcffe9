package fakedns

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
)

// The kinds that make an answer a careful client must not believe.

// truncated sends the client to TCP. Over TCP it does nothing: there TC has no
// meaning. A TCP that does not answer either is a silence with that transport.
type truncated struct{}

func (truncated) chooses(q *question) bool { return q.transport == UDP }

func (truncated) apply(r *reply) {
	r.empty()
	r.msg.Truncated = true
}

type wrongID struct{}

func (wrongID) apply(r *reply) { r.msg.Id++ }

// wrongQuestion answers as if another name had been asked for.
type wrongQuestion struct{}

// wrongName is reserved (RFC 6761): no config under test asks for it.
const wrongName = "wrong-question.invalid."

func (wrongQuestion) apply(r *reply) {
	asked := r.msg.Question[0].Name
	r.msg.Question[0].Name = wrongName
	for _, rr := range r.msg.Answer {
		if strings.EqualFold(rr.Header().Name, asked) {
			rr.Header().Name = wrongName
		}
	}
}

// garbage replaces all behind the header by noise, so that the client takes the
// packet for its answer and has to survive reading it.
type garbage struct {
	seed  uint64
	count atomic.Uint64
}

func startGarbage(_ *Fault, _ *state, cfg *Config) behaviour { return &garbage{seed: cfg.Seed} }

func (g *garbage) apply(r *reply) {
	noise := rand.New(rand.NewPCG(g.seed, g.count.Add(1)))
	r.mangle = func(wire []byte) {
		for i := headerSize; i < len(wire); i++ {
			wire[i] = byte(noise.Uint32())
		}
	}
}
