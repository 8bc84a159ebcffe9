package harness_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
)

// env is an environment for SettingsFrom.
func env(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := pairs[name]
		return v, ok
	}
}

func TestSettingsAreThoseOfTheEnvironment(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want harness.Settings
	}{
		"none":          {nil, harness.DefaultSettings()},
		"empty is none": {map[string]string{"TTL": "", "GRACE": "", "RATE": "", "SEED": ""}, harness.DefaultSettings()},
		"all": {
			map[string]string{"TTL": "2s", "GRACE": "1m", "OUTAGE": "30s", "POSTS": "10", "RATE": "250", "PEAK": "9", "SEED": "18446744073709551615", "MAX_FAILED": "7", "RECOVER_WITHIN": "1500ms"},
			harness.Settings{Clock: harness.Scaled, TTL: 2 * time.Second, Grace: time.Minute, Outage: 30 * time.Second, Posts: 10, Rate: 250, Peak: 9, Seed: 18446744073709551615, MaxFailed: 7, RecoverWithin: 1500 * time.Millisecond},
		},
		"production": {
			map[string]string{"CLOCK": "production", "GRACE": "2m"},
			harness.Settings{Clock: harness.Production, TTL: time.Minute, Grace: 2 * time.Minute, Outage: 90 * time.Second, Rate: 100, Peak: 64, Seed: 1},
		},
		"without a unit": {
			map[string]string{"TTL": "60", "GRACE": "90.5"},
			harness.Settings{Clock: harness.Scaled, TTL: time.Minute, Grace: 90500 * time.Millisecond, Outage: 10 * time.Second, Rate: 100, Peak: 64, Seed: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got, err := harness.SettingsFrom(env(tc.env))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got).To(Equal(tc.want))
		})
	}
}

// Each bad value gets one line with the variable, what was got and what is
// wanted.
func TestSettingsSayWhatIsWrong(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"CLOCK", "fast", "there is no such clock; there are scaled, production"},
		{"TTL", "abc", "want a time from 1s to 5m0s"},
		{"TTL", "0", "want a time from 1s to 5m0s"},
		{"TTL", "-1s", "want a time from 1s to 5m0s"},
		{"TTL", "1h", "want a time from 1s to 5m0s"},
		{"TTL", "1500ms", "DNS has whole seconds only"},
		{"MAX_FAILED", "-1", "want how many requests may fail"},
		{"RECOVER_WITHIN", "0", "want a time from 1ms to 10m0s"},
		{"GRACE", "90000", "want a time from 1s to 30m0s"},
		{"GRACE", "soon", "want a time from 1s to 30m0s"},
		{"GRACE", "31m", "want a time from 1s to 30m0s"},
		{"GRACE", "NaN", "want a time from 1s to 30m0s"},
		{"OUTAGE", "0", "want a time from 1s to 30m0s"},
		{"POSTS", "-1", "want how many of 100 requests are POSTs, 0 to 100"},
		{"POSTS", "101", "want how many of 100 requests are POSTs, 0 to 100"},
		{"RATE", "9", "a whole number from 10 to 5000"},
		{"RATE", "5001", "a whole number from 10 to 5000"},
		{"RATE", "1e3", "a whole number from 10 to 5000"},
		{"PEAK", "0", "want how many requests at once fill the proxy's pools, 1 to 1000"},
		{"PEAK", "many", "1 to 1000"},
		{"SEED", "-1", "want a whole number, 0 or more"},
		{"SEED", "x", "want a whole number, 0 or more"},
	} {
		t.Run(tc.name+"="+tc.value, func(t *testing.T) {
			g := NewWithT(t)
			_, err := harness.SettingsFrom(env(map[string]string{tc.name: tc.value}))
			g.Expect(err).To(MatchError(And(HavePrefix(tc.name+"="+tc.value+": "), ContainSubstring(tc.want), Not(ContainSubstring("\n")))))
		})
	}
}
