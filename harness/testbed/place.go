package testbed

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// place puts a layout into a container that was made and has not started.
func (tb *Testbed) place(ctx context.Context, container string, l kind.Layout) error {
	made, err := tb.docker.ContainerInspect(ctx, container, client.ContainerInspectOptions{})
	if err != nil {
		return fmt.Errorf("putting the configuration in place: %w", err)
	}
	p := placing{ctx: ctx, docker: tb.docker, container: container, image: made.Container.Image, known: map[string]bool{}}
	p.tar = tar.NewWriter(&p.out)
	for _, name := range l.Folders {
		p.folder(name, 0o777) // the proxy may run as any user
	}
	for _, f := range l.Files {
		if f.Spare && p.has(f.Path) {
			continue
		}
		p.folder(path.Dir(f.Path), 0o755)
		p.file(f)
	}
	p.users(l.Users)
	if p.err == nil {
		p.err = p.tar.Close()
	}
	if p.err == nil {
		_, p.err = tb.docker.CopyToContainer(ctx, container, client.CopyToContainerOptions{DestinationPath: "/", Content: &p.out})
	}
	if p.err != nil {
		return fmt.Errorf("putting the configuration in place: %w", p.err)
	}
	return nil
}

// placing writes what the container lacks, in one archive. Nothing is done after an error.
type placing struct {
	ctx       context.Context
	docker    *client.Client
	container string
	image     string // its ID
	out       bytes.Buffer
	tar       *tar.Writer
	known     map[string]bool // paths that will be there
	err       error
}

// has says whether the container has something at an absolute path, or will have it.
func (p *placing) has(name string) bool {
	if p.err != nil || name == "/" || p.known[name] {
		return true
	}
	had, looked := inImages.has(p.image, name)
	if looked {
		return had
	}
	_, err := p.docker.ContainerStatPath(p.ctx, p.container, client.ContainerStatPathOptions{Path: name})
	if err != nil && !errdefs.IsNotFound(err) {
		p.err = err
		return false
	}
	inImages.note(p.image, name, err == nil)
	return err == nil
}

// folder makes a folder, and those around it, if it is not there. One that is there
// keeps its mode.
func (p *placing) folder(name string, mode int64) {
	if p.has(name) {
		return
	}
	p.folder(path.Dir(name), 0o755)
	p.write(tar.Header{Name: name[1:] + "/", Typeflag: tar.TypeDir, Mode: mode}, nil)
}

func (p *placing) file(f kind.Placed) {
	switch {
	case f.Link != "":
		p.write(tar.Header{Name: f.Path[1:], Typeflag: tar.TypeSymlink, Linkname: f.Link, Mode: 0o777}, nil)
	case f.SetUID:
		p.write(tar.Header{Name: f.Path[1:], Typeflag: tar.TypeReg, Mode: 0o4755}, f.Content)
	case f.Executable:
		p.write(tar.Header{Name: f.Path[1:], Typeflag: tar.TypeReg, Mode: 0o755}, f.Content)
	default:
		p.write(tar.Header{Name: f.Path[1:], Typeflag: tar.TypeReg, Mode: 0o644}, f.Content)
	}
}

func (p *placing) write(h tar.Header, content []byte) {
	if p.err != nil {
		return
	}
	p.known["/"+strings.TrimSuffix(h.Name, "/")] = true
	h.Size = int64(len(content))
	if p.err = p.tar.WriteHeader(&h); p.err == nil {
		_, p.err = p.tar.Write(content)
	}
}

// firstUser is the number of the first user that is added; those of Debian's own begin
// at 1000, those of its packages end below.
const firstUser = 900

// users adds users, each with a group of its name, to those of the image.
func (p *placing) users(names []string) {
	for _, list := range []struct{ file, line string }{
		{"/etc/passwd", "%s:x:%d:%[2]d::/nonexistent:/usr/sbin/nologin\n"},
		{"/etc/group", "%s:x:%d:\n"},
	} {
		if len(names) == 0 || p.err != nil {
			return
		}
		had := p.read(list.file)
		text := had
		for i, name := range names {
			if !slices.ContainsFunc(strings.Split(had, "\n"), func(line string) bool { return strings.HasPrefix(line, name+":") }) {
				text += fmt.Sprintf(list.line, name, firstUser+i)
			}
		}
		if text != had {
			p.write(tar.Header{Name: list.file[1:], Typeflag: tar.TypeReg, Mode: 0o644}, []byte(text))
		}
	}
}

// read is a file of the container, which ends with a line; empty if it is not there.
func (p *placing) read(name string) string {
	got, err := p.docker.CopyFromContainer(p.ctx, p.container, client.CopyFromContainerOptions{SourcePath: name})
	if errdefs.IsNotFound(err) {
		return ""
	}
	if err != nil {
		p.err = err
		return ""
	}
	defer func() { _ = got.Content.Close() }()
	r := tar.NewReader(got.Content)
	if _, p.err = r.Next(); p.err != nil {
		return ""
	}
	var text []byte
	if text, p.err = io.ReadAll(r); len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	return string(text)
}
