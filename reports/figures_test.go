package reports

import (
	"testing"

	"github.com/proxychaos/proxychaos/harness/recording"
)

func TestSeconds(t *testing.T) {
	for s, want := range map[recording.Seconds]string{0: "0.0 s", 6: "6.0 s", 12.34: "12.3 s", .3: "0.30 s", .25: "0.25 s", .0124: "0.012 s", -1.44: "-1.4 s"} {
		if got := seconds(s); got != want {
			t.Errorf("%v: got %q, want %q", float64(s), got, want)
		}
	}
}

func TestMilliseconds(t *testing.T) {
	for s, want := range map[recording.Seconds]string{0: "0.0 ms", .00042: "0.4 ms", .0099: "9.9 ms", .0104: "10 ms", 1.2039: "1,204 ms"} {
		if got := milliseconds(s); got != want {
			t.Errorf("%v: got %q, want %q", float64(s), got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 DNS queries", 1: "1 DNS query", 2000: "2,000 DNS queries"} {
		if got := count(n, "DNS query"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestKindsStandInOneOrder(t *testing.T) {
	got := kindsInWords(map[string]int{"timeout": 6, "503": 1990, "404": 1, "418": 2, "ok": 7, "502": 0})
	if want := "503 1,990, timeout 6, 404 1, 418 2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlainSpellsOutWhatRunsATerminal(t *testing.T) {
	if got, want := plain("a\x1b[2Jb\nc\x00\u00e9\u202e"), `a\x1b[2Jb c\x00\u00e9\u202e`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
