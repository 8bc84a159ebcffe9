package kind

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	caddyTLS       = regexp.MustCompile(`(?m)^\s*tls\s+(/\S+)\s+(/\S+)`)
	caddyAuthority = regexp.MustCompile(`(?m)^\s*(?:acme_ca|ca|dir)\s+(https://\S+)|"ca":\s*"(https://[^"]+)"`)
	// Authorities that are trusted for upstreams: the words of Caddy 2.8 and of earlier ones.
	caddyTrusts  = regexp.MustCompile(`(?m)^\s*(?:tls_trust_pool\s+file|tls_trusted_ca_certs)\s+(/\S+)`)
	caddyStorage = regexp.MustCompile(`\bstorage\s+file_system\s+(?:\{\s*root\s+)?(/\S+)|"module":\s*"file_system",\s*"root":\s*"(/[^"]+)"`)
)

const (
	// caddyData is where Caddy keeps what it has to keep, unless it is told otherwise.
	caddyData = "/data/caddy"
	// caddyUsual is the authority that Caddy asks first.
	caddyUsual = "https://acme-v02.api.letsencrypt.org/directory"
)

// caddyCertificates makes the certificates that the configuration names, and those that
// Caddy would get for its sites: no authority is in reach here. Caddy looks for them in
// its storage, by authority and host, before it asks for one.
func (l *Layout) caddyCertificates(c Config) {
	text := c.expanded(caddyVariable)
	for _, files := range caddyTLS.FindAllStringSubmatch(text, -1) {
		l.pair(files[1])
		l.pair(files[2])
		l.couple(files[1], files[2])
	}
	for _, file := range caddyTrusts.FindAllStringSubmatch(text, -1) {
		l.authority(file[1])
	}
	hosts := caddyServes(c).Hosts
	if strings.Contains(text, "on_demand") {
		hosts = append(hosts, anyHost)
	}
	storage := caddyData
	for _, m := range caddyStorage.FindAllStringSubmatch(text, -1) {
		storage = m[1] + m[2]
	}
	authorities := []string{caddyUsual}
	for _, m := range caddyAuthority.FindAllStringSubmatch(text, -1) {
		authorities = append(authorities, m[1]+m[2])
	}
	slices.Sort(hosts)
	for _, host := range slices.Compact(hosts) {
		if strings.ContainsAny(strings.TrimPrefix(host, "*."), "*~$") || net.ParseIP(host) != nil || host == "localhost" {
			continue
		}
		certificate, key := pairFor(host)
		name := strings.ReplaceAll(strings.ToLower(host), "*", "wildcard_")
		for _, authority := range authorities {
			where := path.Join(storage, "certificates", caddyFolderOf(authority), name, name)
			l.spare(where+".crt", certificate)
			l.spare(where+".key", key)
			l.spare(where+".json", fmt.Appendf(nil, `{"sans": [%q], "issuer_data": {}}`, host))
		}
	}
}

// caddyFolderOf is what the folder of an authority is called: its host, and its path with
// hyphens.
func caddyFolderOf(authority string) string {
	u, err := url.Parse(authority)
	if err != nil {
		return authority
	}
	if p := strings.Trim(strings.ReplaceAll(u.Path, "/", "-"), "-"); p != "" {
		return u.Host + "-" + p
	}
	return u.Host
}
