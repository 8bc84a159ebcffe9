package pod

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
)

// own are the log files of this process, below a folder.
func own(dir string) func() ([]openLog, error) {
	return func() ([]openLog, error) {
		found, err := openLogsOf(os.Getpid())
		return slices.DeleteFunc(found, func(o openLog) bool { return !strings.HasPrefix(o.name, dir) }), err
	}
}

// A file is a log if a process appends to it, wherever it is and whatever it is called.
func TestLogFilesAreThoseThatAreAppendedTo(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := t.TempDir()
	for name, flags := range map[string]int{
		"appended": os.O_APPEND | os.O_WRONLY, "both": os.O_APPEND | os.O_RDWR, "written": os.O_WRONLY, "read": os.O_RDONLY,
	} {
		f, err := os.OpenFile(filepath.Join(dir, name), flags|os.O_CREATE, 0o600)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		t.Cleanup(func() { _ = f.Close() })
	}
	found, err := own(dir)()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	var names []string
	for _, o := range found {
		names = append(names, filepath.Base(o.name))
	}
	g.Expect(names).To(gomega.ConsistOf("appended", "both"))
}

func TestLogFilesAreRead(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "error.log")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	write := func(f *os.File, text string) {
		_, err := f.WriteString(text)
		g.Expect(err).NotTo(gomega.HaveOccurred())
	}
	f := open()
	write(f, "before\n")
	l := followLogs(own(dir), maxLogBytes)
	t.Cleanup(l.stop)
	texts := func() (all []string) {
		for _, line := range l.logs().Lines {
			g.Expect(line.File).To(gomega.Equal(name))
			all = append(all, line.Text)
		}
		return all
	}
	g.Expect(texts()).To(gomega.Equal([]string{"before"}), "what it said at its start")
	asked := time.Now()
	write(f, "one\r\ntwo\nhal")
	g.Expect(texts()).To(gomega.Equal([]string{"before", "one", "two"}))
	g.Expect(l.logs().Lines[1].At).To(gomega.BeTemporally(">=", asked))
	write(f, "f\n")
	g.Expect(texts()).To(gomega.Equal([]string{"before", "one", "two", "half"}))

	g.Expect(f.Truncate(0)).To(gomega.Succeed())
	g.Eventually(func() int64 { l.mu.Lock(); defer l.mu.Unlock(); return l.known[theOnly(l)].offset }).Should(gomega.BeZero())
	write(f, "after it was emptied\n")
	g.Expect(texts()[4:]).To(gomega.Equal([]string{"after it was emptied"}))

	g.Expect(os.Rename(name, name+".1")).To(gomega.Succeed())
	write(open(), "after it was rotated\n")
	g.Expect(texts()[5:]).To(gomega.Equal([]string{"after it was rotated"}))
}

func theOnly(l *logFiles) fileID {
	for id := range l.known {
		return id
	}
	return fileID{}
}

// What is too much is counted and not kept.
func TestLogFilesAreBounded(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := t.TempDir()
	f, err := os.OpenFile(filepath.Join(dir, "access.log"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	t.Cleanup(func() { _ = f.Close() })
	_, err = f.WriteString(strings.Repeat("four\n", 10))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	l := followLogs(own(dir), 6*len("four"))
	t.Cleanup(l.stop)
	logs := l.logs()
	g.Expect(logs.Lines).To(gomega.HaveLen(6))
	g.Expect(logs.Dropped).To(gomega.Equal(4))
}

// A file without ends of lines is kept in pieces, not in memory as a whole.
func TestALineWithoutAnEndIsBounded(t *testing.T) {
	g := gomega.NewWithT(t)
	file, err := os.Create(filepath.Join(t.TempDir(), "binary.log"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	t.Cleanup(func() { _ = file.Close() })
	const size = maxLogRead + maxLogLine/2
	_, err = file.WriteString(strings.Repeat("x", size))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	f := &followed{file: file}
	got := f.read()
	g.Expect(got).To(gomega.HaveLen(1))
	g.Expect(got[0]).To(gomega.HaveLen(maxLogRead))
	g.Expect(f.read()).To(gomega.BeEmpty())
	g.Expect(f.rest).To(gomega.HaveLen(maxLogLine / 2))
}
