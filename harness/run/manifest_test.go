package run

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/wayin"
)

// An image that the user named is part of how the cell was run.
func TestReplayOnTheUsersImage(t *testing.T) {
	g := NewWithT(t)
	c := &cell{Cell: Cell{harness.Scenario{Name: "s"}, harness.Subject{Kind: kind.Nginx, Name: "static", Role: harness.Pitfall}}, opt: Options{Settings: harness.DefaultSettings()}}
	c.image.Ref = "openresty:1.27"
	g.Expect(c.replay()).NotTo(ContainSubstring("IMAGE"))
	t.Setenv("NGINX_IMAGE", "openresty:1.27")
	g.Expect(c.replay()).To(Equal("NGINX_IMAGE=openresty:1.27 proxychaos run s --subject nginx/static --seed 1"))
	c.opt.Make = true
	g.Expect(c.replay()).To(Equal("make scenario NAME=s SUBJECT=nginx/static NGINX_IMAGE=openresty:1.27 SEED=1"))
}

// A scenario that is none of the catalogue's is run again with the claim that has it.
func TestReplayOfAClaim(t *testing.T) {
	g := NewWithT(t)
	lab := &Lab{opt: Options{Make: true}}
	subject := harness.Subject{Kind: kind.Nginx, Name: "static", Role: harness.Pitfall, Release: harness.Stable}
	c := lab.BeginAs(Cell{harness.Scenario{Name: "s"}, subject}, Options{Settings: harness.DefaultSettings(), Claim: "002-valid-3s"}, "").last.cell
	g.Expect(c.replay()).To(Equal("make claim NAME=002-valid-3s SEED=1"))
	c.Subject.Release = "testing"
	g.Expect(c.replay()).To(Equal("make claim NAME=002-valid-3s RELEASE=testing SEED=1"))
	c.opt.Make = false
	g.Expect(c.replay()).To(Equal("proxychaos claims 002-valid-3s --release testing --seed 1"))
	c.image.Ref = "openresty:1.27"
	t.Setenv("NGINX_IMAGE", "openresty:1.27")
	g.Expect(c.replay()).To(Equal("NGINX_IMAGE=openresty:1.27 proxychaos claims 002-valid-3s --release testing --seed 1"))
}

// The line that is printed with every failure can be pasted into a shell.
func TestReplay(t *testing.T) {
	standard := harness.DefaultSettings()
	static := harness.Subject{Kind: kind.Nginx, Name: "static", Role: harness.Pitfall, Release: "testing"}
	own := harness.Subject{Kind: kind.Nginx, Name: "own-x", Role: harness.Own, Release: harness.Stable}
	onTesting := own
	onTesting.Release = "testing"
	for name, tc := range map[string]struct {
		subject harness.Subject
		path    string
		opt     Options
		way     recording.Way // that was found
		want    string
	}{
		"of the catalogue": {
			static, "configs/nginx/static.conf",
			Options{Settings: standard, Make: true},
			recording.Way{},
			"make scenario NAME=s SUBJECT=nginx/static@testing SEED=1",
		},
		"one's own": {
			own, "/etc/nginx/x.conf",
			Options{Settings: standard, Make: true},
			recording.Way{},
			"make scenario NAME=s PROXY=nginx CONFIG=/etc/nginx/x.conf SEED=1",
		},
		"one's own on its kind's usual release": {
			harness.Subject{Kind: kind.Caddy, Name: "own-x", Role: harness.Own, Release: "testing"},
			"x",
			Options{Settings: standard, Make: true},
			recording.Way{},
			"make scenario NAME=s PROXY=caddy CONFIG=x SEED=1",
		},
		"one's own on another": {
			harness.Subject{Kind: kind.Caddy, Name: "own-x", Role: harness.Own, Release: harness.Stable},
			"x",
			Options{Settings: standard, Make: true},
			recording.Way{},
			"make scenario NAME=s PROXY=caddy CONFIG=x RELEASE=stable SEED=1",
		},
		"an image": {
			harness.Subject{Kind: kind.Any, Name: "own-pen", Role: harness.Own, Image: "team/pen:0.34", Command: kind.Command{Said: "pen -f 80 backend:80"}},
			"",
			Options{Settings: standard},
			recording.Way{},
			"proxychaos run s --proxy image --image team/pen:0.34 --command 'pen -f 80 backend:80' --seed 1",
		},
		"with everything": {
			onTesting, "/my configs/it's.conf",
			Options{
				Make:     true,
				Settings: harness.Settings{Clock: harness.Scaled, TTL: 2 * time.Second, Grace: time.Minute, Outage: 30 * time.Second, Posts: 10, Rate: 50, Peak: 64, Seed: 7},
				Wanted: wayin.Wanted{
					Paths: []string{"/user/login?a=b&c", "/a,b"}, Host: "api.dev.jp", Port: 4000, Headers: map[string]string{"X-B": "2", "X-A": "1, 2"},
				},
			},
			recording.Way{},
			`make scenario NAME=s PROXY=nginx CONFIG='/my configs/it'\''s.conf' RELEASE=testing TTL=2s GRACE=1m0s OUTAGE=30s POSTS=10 RATE=50 SEED=7` +
				` HOST_HEADER=api.dev.jp URL_PATH='/user/login?a=b&c,/a%2Cb' PROXY_PORT=4000 HEADERS='X-A: 1, 2, X-B: 2'`,
		},
		"asked of the command": {
			own, "my x.conf",
			Options{
				Settings: harness.Settings{Clock: harness.Scaled, TTL: time.Second, Grace: 8 * time.Second, Outage: 10 * time.Second, Rate: 100, Peak: 64, Seed: 2, MaxFailed: 3, RecoverWithin: time.Second},
				Wanted:   wayin.Wanted{Host: "api.dev.jp"},
			},
			recording.Way{},
			"proxychaos run s --proxy nginx --config 'my x.conf' --seed 2 --max-failed 3 --recover-within 1s --host-header api.dev.jp",
		},
		"without an engine": { // its port was free this time
			own, "x.conf",
			Options{Settings: standard, Make: true, testbed: "embedded"},
			recording.Way{Target: "http://127.77.0.2:46759", Host: "www.example.com", Paths: []string{"/"}},
			"make scenario NAME=s PROXY=nginx CONFIG=x.conf SEED=1 URL_PATH=/",
		},
		"the path that the user named": { // without it others would be looked for
			own, "x.conf",
			Options{Settings: standard, Make: true, Wanted: wayin.Wanted{Paths: []string{"/"}}},
			recording.Way{Target: "https://198.18.0.4:443", Host: "shop.example.com", Paths: []string{"/"}},
			"make scenario NAME=s PROXY=nginx CONFIG=x.conf SEED=1 HOST_HEADER=shop.example.com URL_PATH=/ PROXY_PORT=443",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cell{Cell: Cell{harness.Scenario{Name: "s"}, tc.subject}, opt: tc.opt, way: tc.way, config: config.Config{Config: kind.Config{Path: tc.path}}}
			NewWithT(t).Expect(c.replay()).To(Equal(tc.want))
		})
	}
}
