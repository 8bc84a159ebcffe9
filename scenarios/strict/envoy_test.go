// Package strict_test reads configs of the catalogue into the types of the proxies that they
// are for. It stands alone because those types take long to compile, and for tests only.
package strict_test

import (
	"strings"
	"testing"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	manager "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	upstream "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/scenarios"
)

// read is what Envoy would make of a file: a field that it does not know is an error, and so
// is one that is against its rules, also in what a listener and a cluster hold.
func read(text []byte) (*bootstrap.Bootstrap, error) {
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	var b bootstrap.Bootstrap
	if err := protojson.Unmarshal(asJSON, &b); err != nil {
		return nil, err
	}
	if err := b.ValidateAll(); err != nil {
		return nil, err
	}
	for _, l := range b.GetStaticResources().GetListeners() {
		for _, chain := range l.GetFilterChains() {
			for _, f := range chain.GetFilters() {
				var m manager.HttpConnectionManager
				if err := inside(f.GetTypedConfig(), &m); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, c := range b.GetStaticResources().GetClusters() {
		for _, options := range c.GetTypedExtensionProtocolOptions() {
			var o upstream.HttpProtocolOptions
			if err := inside(options, &o); err != nil {
				return nil, err
			}
		}
	}
	return &b, nil
}

// inside is a message in another one, and its rules.
func inside(in *anypb.Any, as interface {
	proto.Message
	ValidateAll() error
},
) error {
	if err := in.UnmarshalTo(as); err != nil {
		return err
	}
	return as.ValidateAll()
}

func TestEnvoyReadsItsConfigs(t *testing.T) {
	kinds := map[string]cluster.Cluster_DiscoveryType{
		"logical-dns": cluster.Cluster_LOGICAL_DNS, "strict-dns": cluster.Cluster_STRICT_DNS, "outliers": cluster.Cluster_STRICT_DNS,
	}
	seen := 0
	for _, s := range scenarios.Subjects() {
		if s.Kind != kind.Envoy {
			continue
		}
		seen++
		t.Run(s.Name, func(t *testing.T) {
			g := NewWithT(t)
			text, err := scenarios.Configs.ReadFile(s.Config)
			g.Expect(err).NotTo(HaveOccurred())
			b, err := read(text)
			g.Expect(err).NotTo(HaveOccurred())
			of := b.GetStaticResources().GetClusters()
			g.Expect(of).To(HaveLen(1))
			g.Expect(of[0].GetType()).To(Equal(kinds[s.Name]))
			g.Expect(of[0].GetLoadAssignment().GetEndpoints()[0].GetLbEndpoints()[0].GetEndpoint().GetAddress().GetSocketAddress().GetAddress()).
				To(Equal("backend.example.com"))
		})
	}
	NewWithT(t).Expect(seen).To(Equal(len(kinds)))
}

// The test above can fail: by a word that Envoy does not know, wherever it stands, and by a
// number that it does not take.
func TestEnvoyRefusesWhatItDoesNotKnow(t *testing.T) {
	good, err := scenarios.Configs.ReadFile("configs/envoy/outliers.yaml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for old, wrong := range map[string]string{
		"dns_refresh_rate: 3s":          "dns_refresh: 3s",
		"num_retries: 3":                "retries: 3",
		"idle_timeout: 50s":             "idle: 50s",
		"type: STRICT_DNS":              "type: SOME_DNS",
		"stat_prefix: www":              "stat_prefix: ''",
		"max_ejection_percent: 50":      "max_ejection_percent: 200",
		"filters.http.router.v3.Router": "filters.http.router.v3.Rooter",
	} {
		t.Run(wrong, func(t *testing.T) {
			g := NewWithT(t)
			bad := strings.Replace(string(good), old, wrong, 1)
			g.Expect(bad).NotTo(Equal(string(good)), "%s is not in the config", old)
			_, err := read([]byte(bad))
			g.Expect(err).To(HaveOccurred())
		})
	}
}
