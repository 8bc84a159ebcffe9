package kind

import (
	"path"
	"regexp"
	"strings"
)

// foreign are languages and forms in which a file lies in a repository and in which no proxy
// reads it.
var foreign = []struct {
	finds *regexp.Regexp
	say   string
}{
	// nginx, Apache and HAProxy do not know it, and in their messages it is not seen.
	{regexp.MustCompile(`\A\x{FEFF}`), "begins with a byte order mark, which is taken for a part of the first word: save it as UTF-8 without one"},
	{regexp.MustCompile(`\A\x00GITCRYPT`), "is encrypted by git-crypt: unlock it first"},
	{regexp.MustCompile(`\A\$ANSIBLE_VAULT;`), "is encrypted by Ansible Vault: decrypt it first"},
	{regexp.MustCompile(`\Aversion https://git-lfs\.github\.com/spec/`), "is a pointer of Git LFS: fetch the file first"},
	{regexp.MustCompile(`\A(?:#.*\n|---\n|\s*\n)*apiVersion:\s`), "is a manifest of Kubernetes: give the file that it has under data"},
	{regexp.MustCompile(`\A(?:#.*\n|---\n|\s*\n)*(?:version|services|name):\s`), "is a file of Docker Compose: give the configuration that it mounts"},
	{regexp.MustCompile(`\{\{-?\s*[^{}]*\}\}|\{%-?\s`), "is a template of Ansible, Helm or the like, with {{ }} or {% %}: give what it is rendered to"},
	{regexp.MustCompile(`%\{(?:~\s*|\s+)(?:for|if|else|endfor|endif)\b`), "is a template of Terraform, with %{ }: give what it is rendered to"},
	{regexp.MustCompile(`\A(?:\x1f\x{FFFD}|PK\x03\x04|BZh\d|\x{FFFD}7zXZ|(?s:.{257})ustar)`), "is an archive: unpack it, and give the file or folder that is in it"},
	{regexp.MustCompile(`\A#!\s*/`), "is a script: give the configuration that it writes"},
	{regexp.MustCompile(`\A\x{FFFD}\x{FFFD}(?:[^\x00]\x00|\x00[^\x00])`), "is UTF-16: save it as UTF-8"},
	{regexp.MustCompile(`<%[=-]?\s`), "is a template of Ruby, with <% %>: give what it is rendered to"},
}

// locked is a private key that a passphrase opens.
var locked = regexp.MustCompile(`-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED`)

// Locked says which private key of the configuration a program could not open, if its output
// names one that wants a passphrase; empty if not.
func (c Config) Locked(output string) string {
	for _, f := range c.Files {
		if locked.Match(f.Content) && strings.Contains(output, path.Base(f.Name)) {
			return f.own() + " has a private key with a passphrase, which nobody types here: leave the file out of CONFIG=, and one is made"
		}
	}
	return ""
}

// Foreign says what is wrong with a file that a program's words name, or with the only one,
// if it is in a form that the program does not read; empty if nothing is known.
func (c Config) Foreign(words string) string {
	for _, f := range c.Files {
		if !c.single() && !strings.Contains(words, path.Base(f.Name)) {
			continue
		}
		for _, form := range foreign {
			if form.finds.Match(f.Content) {
				return f.own() + " " + form.say
			}
		}
	}
	return ""
}
