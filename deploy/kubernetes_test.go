package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// manifests are the nightly for Kubernetes, with a volume and with a bucket.
var manifests = []string{"nightly.yaml", "nightly-s3.yaml"}

// manifest is what a file of Kubernetes has.
type manifest struct {
	crons  map[string]batchv1.CronJob
	claims map[string]corev1.PersistentVolumeClaim
}

// decode reads manifests into the types of Kubernetes' API, strictly: a field that these do not
// have, or of another type, is an error.
func decode(text string) (manifest, error) {
	m := manifest{map[string]batchv1.CronJob{}, map[string]corev1.PersistentVolumeClaim{}}
	for document := range strings.SplitSeq(text, "\n---\n") {
		if strings.Contains(document, "\nkind: PersistentVolumeClaim\n") {
			var claim corev1.PersistentVolumeClaim
			if err := yaml.UnmarshalStrict([]byte(document), &claim); err != nil {
				return m, err
			}
			m.claims[claim.Name] = claim
			continue
		}
		var cron batchv1.CronJob
		if err := yaml.UnmarshalStrict([]byte(document), &cron); err != nil {
			return m, err
		}
		m.crons[cron.Name] = cron
	}
	return m, nil
}

func read(t *testing.T, name string) (manifest, string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := decode(string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m, string(text)
}

// The shards are an Indexed Job with an engine beside each, and the report is a Job; each
// mounts only volumes that it has.
func TestKubernetes(t *testing.T) {
	for _, name := range manifests {
		g := NewWithT(t)
		m, _ := read(t, name)
		g.Expect(m.crons).To(And(HaveLen(2), HaveKey("proxychaos-nightly"), HaveKey("proxychaos-report")), name)
		shards := m.crons["proxychaos-nightly"].Spec.JobTemplate.Spec
		g.Expect(*shards.CompletionMode).To(Equal(batchv1.IndexedCompletion))
		g.Expect(*shards.Completions).To(BeEquivalentTo(8))
		engine := shards.Template.Spec.InitContainers[0]
		g.Expect(*engine.RestartPolicy).To(Equal(corev1.ContainerRestartPolicyAlways), "it runs beside the shard")
		g.Expect(*engine.SecurityContext.Privileged).To(BeTrue())
		for cron, job := range m.crons {
			pod := job.Spec.JobTemplate.Spec.Template.Spec
			g.Expect(pod.RestartPolicy).To(Equal(corev1.RestartPolicyNever))
			volumes := map[string]bool{}
			for _, v := range pod.Volumes {
				volumes[v.Name] = true
				if v.PersistentVolumeClaim != nil {
					g.Expect(m.claims).To(HaveKey(v.PersistentVolumeClaim.ClaimName), cron)
				}
			}
			for _, c := range append(pod.InitContainers, pod.Containers...) {
				for _, mount := range c.VolumeMounts {
					g.Expect(volumes).To(HaveKey(mount.Name), "%s %s", cron, c.Name)
				}
				if len(c.Command) > 0 && c.Command[0] == "/bin/sh" {
					g.Expect(exec.CommandContext(t.Context(), "sh", "-n", "-c", c.Args[0]).Run()).To(Succeed(), "%s %s", cron, c.Name)
				}
			}
		}
		for _, claim := range m.claims {
			g.Expect(claim.Spec.AccessModes).To(ConsistOf(corev1.ReadWriteMany), "several pods write to it")
		}
	}
}

// The strict decoder finds what is wrong.
func TestWrongManifests(t *testing.T) {
	for _, name := range manifests {
		_, text := read(t, name)
		for was, is := range map[string]string{
			"completionMode: Indexed": "completionsMode: Indexed",
			"completions: 8":          "completions: eight",
			"restartPolicy: Always":   "restart: Always",
			"mountPath: /results":     "path: /results",
		} {
			g := NewWithT(t)
			g.Expect(text).To(ContainSubstring(was))
			_, err := decode(strings.ReplaceAll(text, was, is))
			g.Expect(err).To(HaveOccurred(), "%s: %s", name, is)
		}
	}
}

// What differs between a volume and a bucket is where the results are kept: the shards and the
// report run the same.
func TestTheBucketRunsTheSame(t *testing.T) {
	g := NewWithT(t)
	volume, _ := read(t, "nightly.yaml")
	bucket, _ := read(t, "nightly-s3.yaml")
	for name, cron := range volume.crons {
		ours, other := cron.Spec.JobTemplate.Spec.Template.Spec, bucket.crons[name].Spec.JobTemplate.Spec.Template.Spec
		g.Expect(other.Containers).To(Equal(ours.Containers), name)
		for _, c := range ours.InitContainers {
			g.Expect(other.InitContainers).To(ContainElement(c), name)
		}
		g.Expect(bucket.crons[name].Spec.Schedule).To(Equal(cron.Spec.Schedule))
	}
}

// rclone is a made-up one that copies to a folder; beside the results, it keeps nothing.
const rclone = `#!/bin/sh
[ "$1 $2" = "copy --links" ] || exit 2
mkdir -p "$4" && cp -R "$3/." "$4"
`

// What a shard has recorded is in the bucket while it runs, and what it records last is there
// too once it has ended.
func TestResultsAreKept(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	results, bucket := filepath.Join(dir, "results"), filepath.Join(dir, "bucket")
	g.Expect(os.MkdirAll(results, 0o750)).To(Succeed())
	write := func(name string) {
		g.Expect(os.WriteFile(filepath.Join(results, name), []byte("recorded"), 0o600)).To(Succeed())
	}
	write("first")
	g.Expect(os.WriteFile(filepath.Join(dir, "rclone"), []byte(rclone), 0o700)).To(Succeed()) //nolint:gosec // a program
	m, _ := read(t, "nightly-s3.yaml")
	pod := m.crons["proxychaos-nightly"].Spec.JobTemplate.Spec.Template.Spec
	keep := pod.InitContainers[1]
	g.Expect(keep.Name).To(Equal("keep"))
	g.Expect(*keep.RestartPolicy).To(Equal(corev1.ContainerRestartPolicyAlways))
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", strings.ReplaceAll(keep.Args[0], "/results", results))
	cmd.Env = append(os.Environ(), "BUCKET="+bucket, "PATH="+dir+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	g.Expect(cmd.Start()).To(Succeed())
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // its sleep
	g.Eventually(filepath.Join(bucket, "first")).WithTimeout(time.Minute).Should(BeAnExistingFile())
	write("last")
	g.Expect(cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
	g.Expect(cmd.Wait()).To(Succeed())
	g.Expect(filepath.Join(bucket, "last")).To(BeAnExistingFile())
}
