package reports

// comparisonView is the table on top of the page of a comparison.
type comparisonView struct {
	Comparison
	Sentence string
	Noise    string
	State    State
	Rows     []pairView
}

type pairView struct {
	Pair
	State            State
	AnchorA, AnchorB string
}

func newComparisonView(c Comparison) *comparisonView {
	v := &comparisonView{Comparison: c, Sentence: c.Sentence(), Noise: noise, State: stateOf(c.Overall())}
	for i, p := range c.Pairs {
		v.Rows = append(v.Rows, pairView{p, stateOf(p.Result), anchorOf(2 * i), anchorOf(2*i + 1)})
	}
	return v
}
