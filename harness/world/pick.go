package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Pick says which nodes a fault is about: those in front, or some in each upstream alike:
//
//	front   those of the load balancer that clients call
//	named   those that its name has now
//	half    half of them: first those in use, then by number
//	left    those that its name had and has no more
//	spare   those that serve and that its name never had
//	struck  those that do not serve
//	1 3     those of its current balancer with these numbers
type Pick string

// The picks that are words.
const (
	Fronts Pick = "front"
	Named  Pick = "named"
	Half   Pick = "half"
	Left   Pick = "left"
	Spare  Pick = "spare"
	Struck Pick = "struck"
)

// Numbers picks nodes by their numbers.
func Numbers(numbers ...int) Pick {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return Pick(strings.Join(words, " "))
}

// Check says what is wrong with the pick; nil if nothing is.
func (p Pick) Check() error {
	switch p {
	case Fronts, Named, Half, Left, Spare, Struck:
		return nil
	}
	_, err := p.numbers()
	return err
}

func (p Pick) numbers() ([]int, error) {
	var numbers []int
	for word := range strings.FieldsSeq(string(p)) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, p.wrong()
		}
		numbers = append(numbers, n)
	}
	if len(numbers) == 0 {
		return nil, p.wrong()
	}
	return numbers, nil
}

// Missing are the numbers of the pick that no current balancer has in a state.
func (p Pick) Missing(s State) []int {
	numbers, err := p.numbers()
	if err != nil {
		return nil // a word picks what there is
	}
	return slices.DeleteFunc(numbers, func(number int) bool {
		return slices.ContainsFunc(p.Of(s), func(n NodeState) bool { return n.Number == number })
	})
}

func (p Pick) wrong() error {
	return fmt.Errorf("got the nodes %q, want front, named, half, left, spare, struck, or numbers such as \"1 3\"", string(p))
}

// Of are the nodes of a state that are picked; none if the pick is wrong.
func (p Pick) Of(s State) []NodeState {
	if p == Fronts {
		return s.upstream(InFront)
	}
	var picked []NodeState
	for upstream := range Upstreams {
		picked = append(picked, p.of(s.upstream(upstream+1))...)
	}
	return picked
}

func (s State) upstream(number int) []NodeState {
	return only(s.Nodes, func(n NodeState) bool { return n.Upstream == number })
}

func (p Pick) of(nodes []NodeState) []NodeState {
	named := only(nodes, func(n NodeState) bool { return n.Named })
	switch p {
	case Named:
		return named
	case Half:
		slices.SortStableFunc(named, func(a, b NodeState) int {
			switch {
			case a.InUse == b.InUse:
				return a.Number - b.Number
			case a.InUse:
				return -1
			}
			return 1
		})
		return named[:(len(named)+1)/2]
	case Left:
		return only(nodes, func(n NodeState) bool { return n.Left })
	case Spare:
		return only(nodes, func(n NodeState) bool { return n.Serves && !n.Named && !n.Left })
	case Struck:
		return only(nodes, func(n NodeState) bool { return !n.Serves })
	default: // numbers
		numbers, err := p.numbers()
		if err != nil || len(named) == 0 {
			return nil
		}
		return only(nodes, func(n NodeState) bool {
			return n.Balancer == named[0].Balancer && slices.Contains(numbers, n.Number)
		})
	}
}

func only(nodes []NodeState, keep func(NodeState) bool) []NodeState {
	var kept []NodeState
	for _, n := range nodes {
		if keep(n) {
			kept = append(kept, n)
		}
	}
	return kept
}
