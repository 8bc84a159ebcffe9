package bench

// Added turns every series but that of base into what it adds to base, round
// by round. A series whose base is missing has no figure either. Curves stay
// whole latencies.
func Added(all []Series, base string) []Series {
	from := Row{Series: all}.Find(base)
	for i := range all {
		s := &all[i]
		switch {
		case s.Who == base || s.Missing != "":
		case from.Missing != "" || len(from.Values) != len(s.Values):
			s.Values, s.Missing = nil, base+": "+from.why()
		default:
			for j := range s.Values {
				s.Values[j] -= from.Values[j]
			}
		}
	}
	return all
}
