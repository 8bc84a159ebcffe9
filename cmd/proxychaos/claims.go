package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/claims"
)

// The files of what became of the claims.
const (
	claimsPage    = "claims.md"
	claimsResults = "claims.json"
)

// claimsCommand is `proxychaos claims`, behind `make claims` and `make claim`.
func claimsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "claims [ID...]",
		Short: "Run what articles claim about proxies as experiments; exit 1 if a verdict has changed, 2 if a run proved nothing",
		Long: "Runs the experiments of all claims, or of some, and prints the verdict of each claim, and which verdicts differ from\n" +
			"those of claims.json in the folder --docs. With --write it stores the new results there, and makes claims.md again.",
		Example: "  proxychaos claims 002-valid-3s\n" +
			"  HTTPD_IMAGE=my-httpd:2.4.58 proxychaos claims 000-children-keep-the-address",
	}
	c := claimsRun{settings: addSettings(cmd, nil, "PROXY", "CONFIG", "ENV", "SUBJECT", "CLOCK", "CLOUD", "TTL", "GRACE", "OUTAGE", "POSTS", "RATE", "PEAK",
		"MAX_FAILED", "RECOVER_WITHIN", "HOST_HEADER", "URL_PATH", "PROXY_PORT", "HEADERS", "FLOOR")}
	c.flags.StringVar(&c.docs, "docs", "docs", "the `FOLDER` of claims.json and claims.md")
	c.flags.BoolVar(&c.write, "write", false, "store the results, and make the page")
	c.flags.BoolVar(&c.stored, "stored", false, "run nothing: take the stored results")
	c.flags.BoolVarP(&c.quiet, "quiet", "q", false, "print no progress")
	cmd.ValidArgsFunction = claimIDs
	cmd.RunE = c.run
	return cmd
}

// claimsRun is one call of the command.
type claimsRun struct {
	*settings
	docs          string
	write, stored bool
	quiet         bool
}

func (c *claimsRun) run(cmd *cobra.Command, ids []string) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	all, err := claims.All()
	if err != nil {
		return err
	}
	chosen := all
	if len(ids) > 0 {
		chosen = nil
	}
	for _, id := range ids {
		one, err := claims.Named(all, id)
		if err != nil {
			return err
		}
		chosen = append(chosen, one)
	}
	before, err := claims.ReadResults(filepath.Join(c.docs, claimsResults))
	if err != nil {
		return err
	}
	after, failed := before.Of(all), []claims.Came(nil)
	if !c.stored {
		if after, failed, err = c.try(ctx, chosen, after); err != nil {
			return err
		}
	}
	return errors.Join(c.tell(cmd.OutOrStdout(), all, chosen, before, after), c.outcome(ctx, all, before, after, failed))
}

// try runs the experiments of the claims, and adds what they measured to the results. It
// also returns those that have no result.
func (c *claimsRun) try(ctx context.Context, chosen []claims.Claim, results claims.Results) (after claims.Results, failed []claims.Came, err error) {
	if release, ok := c.lookup("RELEASE"); ok {
		chosen = slices.Clone(chosen)
		for i := range chosen {
			chosen[i].Releases = []string{release}
		}
	}
	tasks, err := claims.Tasks(chosen, c.common)
	if err != nil || len(tasks) == 0 {
		return results, nil, c.spell(err)
	}
	asked, err := c.request(nil)
	if err != nil {
		return results, nil, err
	}
	asked.Options.NeedsEngine = true
	if c.quiet {
		asked.Options.Log = io.Discard
	}
	lab, err := run.Open(ctx, asked.Options)
	defer func() { err = errors.Join(err, c.spell(lab.Close())) }()
	if err != nil {
		return results, nil, c.opening(err)
	}
	for _, came := range claims.Run(ctx, lab, tasks, asked.Options.Parallel) {
		if came.Err != nil {
			failed = append(failed, came)
			continue
		}
		results = results.With(came.Stored)
	}
	return results, failed, nil
}

// common are the words that the experiments of all claims share; what else a cell is run with
// the claim says.
func (c *claimsRun) common(word string) (string, bool) {
	if slices.Contains([]string{"RUNS", "SEED", "PARALLEL", "KIT"}, word) {
		return c.lookup(word)
	}
	return "", false
}

// tell prints what became of the claims and what has changed, and writes it if that is
// asked for.
func (c *claimsRun) tell(out io.Writer, all, chosen []claims.Claim, before, after claims.Results) error {
	if err := claims.Text(out, chosen, after); err != nil {
		return err
	}
	if c.write {
		if err := c.store(all, after); err != nil {
			return err
		}
	}
	changes, err := claims.Changes(all, before, after)
	if err != nil {
		return err
	}
	said := "no verdict differs from " + filepath.Join(c.docs, claimsResults)
	if len(changes) > 0 {
		said = "differs from " + filepath.Join(c.docs, claimsResults) + ":"
		for _, change := range changes {
			said += "\n    " + change.String()
		}
	}
	_, err = fmt.Fprintln(out, said)
	return err
}

func (c *claimsRun) store(all []claims.Claim, results claims.Results) error {
	if err := results.Write(filepath.Join(c.docs, claimsResults)); err != nil {
		return err
	}
	return scenarios.Into(func(w io.Writer) error { return claims.Page(w, all, results) })(filepath.Join(c.docs, claimsPage))
}

// outcome is the error that ends the command with the right exit code.
func (c *claimsRun) outcome(ctx context.Context, all []claims.Claim, before, after claims.Results, failed []claims.Came) error {
	changes, err := claims.Changes(all, before, after)
	if err != nil {
		return err
	}
	var lines []string
	proved := true
	for _, came := range failed {
		lines = append(lines, fmt.Sprintf("%s has no result: %v", came.Name, c.spell(came.Err)))
		proved = proved && errors.Is(came.Err, claims.ErrNotRun)
	}
	text := strings.Join(lines, "\n")
	switch {
	case ctx.Err() != nil:
		return &exitError{exitInterrupted, "interrupted: the results until then are above"}
	case slices.ContainsFunc(changes, claims.Change.Contradicts):
		return &exitError{exitWrong, text}
	case !proved:
		return &exitError{exitTrouble, text}
	case text != "":
		fmt.Fprintln(os.Stderr, text)
	}
	return nil
}

// claimIDs completes the name of a claim.
func claimIDs(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var ids []cobra.Completion
	all, _ := claims.All() // a test sees to it that they can be read
	for _, c := range all {
		ids = append(ids, cobra.CompletionWithDesc(c.ID, c.Says))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
