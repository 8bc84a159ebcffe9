package targets

// choose applies the group's algorithm to one or more targets (3.4.4 D). mu is held.
func (p *Pool) choose(among []*target) *target {
	switch p.group.Attributes.Algorithm {
	case LeastOutstanding:
		return p.leastOutstanding(among)
	case WeightedRandom:
		return p.weightedRandom(among)
	}
	for _, t := range among {
		if !t.rampFrom.IsZero() {
			return p.ramping(among)
		}
	}
	p.turn++
	return among[p.turn%len(among)]
}

// leastOutstanding chooses a target with the fewest requests under way, in turn
// where there are several.
func (p *Pool) leastOutstanding(among []*target) *target {
	p.turn++
	best := among[p.turn%len(among)]
	for i := range among {
		if t := among[(p.turn+i)%len(among)]; t.outstanding < best.outstanding {
			best = t
		}
	}
	return best
}

// weightedRandom draws by the weights of the anomaly mitigation, which are equal
// without it.
func (p *Pool) weightedRandom(among []*target) *target {
	sum := 0.0
	for _, t := range among {
		sum += p.weight(t)
	}
	at := p.random.Float64() * sum
	for _, t := range among {
		if at -= p.weight(t); at < 0 {
			return t
		}
	}
	return among[len(among)-1]
}

func (p *Pool) weight(t *target) float64 {
	if p.mitigates() {
		return t.anomaly.weight
	}
	return 1
}
