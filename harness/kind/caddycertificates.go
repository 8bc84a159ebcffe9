package kind

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	// A site's own, and what it shows its upstreams.
	caddyTLS       = regexp.MustCompile(`(?m)^\s*tls(?:_client_auth)?\s+(/\S+)\s+(/\S+)`)
	caddyAuthority = regexp.MustCompile(`(?m)^\s*(?:acme_ca|ca|dir)\s+(https://\S+)|"ca":\s*"(https://[^"]+)"`)
	// Authorities that are trusted, for upstreams and for clients: the words of Caddy 2.8 and
	// of earlier ones.
	caddyTrusts  = regexp.MustCompile(`(?m)^\s*(?:(?:tls_)?trust_pool\s+file|tls_trusted_ca_certs|trusted_ca_cert_file|pem_file)\s+(/\S+)`)
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
	hosts := caddyServes(c).Hosts
	if strings.Contains(text, "on_demand") {
		hosts = append(hosts, anyHost)
	}
	slices.Sort(hosts)
	hosts = slices.DeleteFunc(slices.Compact(hosts), func(host string) bool {
		return strings.ContainsAny(strings.TrimPrefix(host, "*."), "*~$") || net.ParseIP(host) != nil || host == "localhost"
	})
	l.caddyNamed(c, text, hosts)
	storage := caddyData
	for _, m := range caddyStorage.FindAllStringSubmatch(text, -1) {
		storage = m[1] + m[2]
	}
	authorities := []string{caddyUsual}
	for _, m := range caddyAuthority.FindAllStringSubmatch(text, -1) {
		authorities = append(authorities, m[1]+m[2])
	}
	for _, host := range hosts {
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

// caddyNamed makes the files that the configuration names. Caddy chooses a certificate by the
// names in it, so these have the sites'.
func (l *Layout) caddyNamed(c Config, text string, hosts []string) {
	certificate, key := pairFor(append([]string{"localhost", "*.example.com"}, hosts...)...)
	both := slices.Concat(certificate, key)
	pairs := caddyTLS.FindAllStringSubmatch(text, -1)
	authorities := firsts(caddyTrusts, text)
	for _, f := range c.Files {
		var read any
		if path.Ext(f.Name) == ".json" && json.Unmarshal(f.Content, &read) == nil {
			caddyFiles(read, &pairs, &authorities)
		}
	}
	for _, files := range pairs {
		l.spare(files[1], both)
		l.spare(files[2], both)
		l.couple(files[1], files[2])
	}
	for _, file := range authorities {
		l.authority(file)
	}
}

// caddyFiles reads which files Caddy's own JSON names: certificates with their keys, each pair
// after an empty text as caddyTLS has it, and authorities.
func caddyFiles(read any, pairs *[][]string, authorities *[]string) {
	switch v := read.(type) {
	case []any:
		for _, one := range v {
			caddyFiles(one, pairs, authorities)
		}
	case map[string]any:
		for certificate, key := range map[string]string{"certificate": "key", "client_certificate_file": "client_certificate_key_file"} {
			file, named := v[certificate].(string)
			if other, is := v[key].(string); is && named {
				*pairs = append(*pairs, []string{"", file, other})
			}
		}
		for _, folder := range texts(v["load_folders"]) {
			both := path.Join(folder, "proxychaos.pem")
			*pairs = append(*pairs, []string{"", both, both})
		}
		for _, name := range []string{"pem_files", "root_ca_pem_files", "trusted_ca_certs_pem_files"} {
			*authorities = append(*authorities, texts(v[name])...)
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			caddyFiles(v[key], pairs, authorities)
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
