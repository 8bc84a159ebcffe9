package reports

import (
	"slices"
	"strconv"

	"github.com/proxychaos/proxychaos/harness/ledger"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// stepWindow is how long what a step of the timeline did was true. Windows may overlap.
type stepWindow struct {
	From, To recording.Seconds
	Class    string // its colour in the style sheet
	Name     string // its legend entry
}

// stepClasses is how many colours of steps the style sheet has.
const stepClasses = 4

// heals is the class of a step that only brings back what had been so at the start.
const heals = "heals"

// Heals says whether the step brought something back.
func (w stepWindow) Heals() bool { return w.Class == heals }

// windows are the faults of a recording in the order in which they came into force.
func windows(acts []ledger.Act, end recording.Seconds) []stepWindow {
	var all []stepWindow
	classes := map[string]string{} // by name: what comes again has its colour again
	for _, a := range acts {
		w := stepWindow{From: a.From, To: min(a.To, end), Name: a.Name, Class: heals}
		if !a.Heals {
			if _, known := classes[a.Name]; !known {
				classes[a.Name] = "step" + strconv.Itoa(len(classes)%stepClasses)
			}
			w.Class = classes[a.Name]
		}
		all = append(all, w)
	}
	return all
}

// legend is one window for each name.
func legend(all []stepWindow) []stepWindow {
	var once []stepWindow
	for _, w := range all {
		if !slices.ContainsFunc(once, func(o stepWindow) bool { return o.Name == w.Name && o.Class == w.Class }) {
			once = append(once, w)
		}
	}
	return once
}
