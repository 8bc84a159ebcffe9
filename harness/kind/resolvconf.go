package kind

import (
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// ResolvConfs are the names under which a folder has the /etc/resolv.conf of the machine
// that it is from.
var ResolvConfs = []string{"resolv.conf", path.Join("etc", "resolv.conf")}

// MaxResolvConf is how long such a file is at most, in bytes.
const MaxResolvConf = 8 << 10

// resolvConfLine is a line of such a file, comments included.
var resolvConfLine = regexp.MustCompile(`^\s*(?:[#;].*|(?:nameserver|search|domain|options|sortlist)\s.*)?$`)

// TakeResolvConf takes the machine's resolv.conf out of the files: it is no part of the
// proxy's configuration. A file of that name in another language stays, such as one that
// an nginx.conf includes.
func (c *Config) TakeResolvConf() {
	for _, name := range ResolvConfs {
		if f := c.file(name); f != nil && c.Resolvers == nil && isResolvConf(string(f.Content)) {
			taken := *f
			c.Resolvers = &taken
			c.Files = slices.DeleteFunc(slices.Clone(c.Files), func(f File) bool { return f.Name == name })
		}
		for _, l := range c.Links {
			if l.Name == name {
				c.LeftOut = append(c.LeftOut, name+": a link to "+l.Target+", which is not in the folder: copy the file itself, with cp -L")
			}
		}
		c.Links = slices.DeleteFunc(c.Links, func(l Link) bool { return l.Name == name })
	}
}

func isResolvConf(text string) bool {
	return len(text) <= MaxResolvConf && strings.TrimSpace(text) != "" && !slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool { return !resolvConfLine.MatchString(line) })
}

// LibcServers are the name servers of the machine's resolv.conf that the configuration does
// not name itself: whoever asks one of these is the C library. None without such a file.
func (c Config) LibcServers() []netip.AddrPort {
	if c.Resolvers == nil {
		return nil
	}
	conf, err := dns.ClientConfigFromReader(strings.NewReader(string(c.Resolvers.Content)))
	if err != nil {
		return nil
	}
	var servers []netip.AddrPort
	for _, server := range conf.Servers {
		if addr, err := netip.ParseAddr(server); err == nil && !c.mentions(server) {
			servers = append(servers, netip.AddrPortFrom(addr.WithZone(""), 53))
		}
	}
	return servers
}
