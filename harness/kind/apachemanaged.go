package kind

import (
	"path"
	"slices"
	"strings"
)

// apacheManaged puts certificates where mod_md keeps those of its domains, as from the authority
// that the configuration names. No authority is in reach here, and without a certificate Apache
// answers 503 to every request. hosts are those that the configuration serves.
func (l *Layout) apacheManaged(lines []apacheLine, hosts []string, root string) {
	store, keys := path.Join(root, "md"), []string{"rsa"}
	for _, line := range lines {
		switch {
		case len(line.args) == 0:
		case line.name == "mdstoredir":
			if store = line.args[0]; !path.IsAbs(store) {
				store = path.Join(root, store)
			}
		case line.name == "mdprivatekeys":
			for _, kind := range line.args { // RSA 4096 secp384r1: the number is a length
				if kind = strings.ToLower(kind); kind != "default" && strings.Trim(kind, "0123456789") != "" {
					keys = append(keys, kind)
				}
			}
		}
	}
	for _, line := range lines {
		domain := slices.Contains([]string{"mdomain", "mdomainset", "<mdomain", "<mdomainset"}, line.name)
		if !domain || len(line.args) == 0 || strings.ContainsAny(line.args[0], "$*") {
			continue
		}
		names := slices.Concat(line.args, hosts)
		slices.Sort(names)
		certificate, key := pairFor(slices.Compact(names)...)
		for _, kind := range keys {
			of := path.Join(store, "domains", strings.ToLower(line.args[0]))
			l.spare(path.Join(of, apacheManagedFile("pubcert", kind)), certificate)
			l.spare(path.Join(of, apacheManagedFile("privkey", kind)), key)
		}
	}
}

// apacheManagedFile is what mod_md calls a file of a kind of key.
func apacheManagedFile(name, kind string) string {
	if kind == "rsa" {
		return name + ".pem"
	}
	return name + "." + kind + ".pem"
}
