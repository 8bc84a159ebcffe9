package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"github.com/spf13/cobra"
)

// orphanCommand leaves a child behind, which so becomes a child of PID 1, and
// prints its pid.
func orphanCommand() *cobra.Command {
	return &cobra.Command{Use: "orphan", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		child := exec.Command("/proc/self/exe", "orphaned")
		if err := child.Start(); err != nil {
			return err
		}
		fmt.Println(child.Process.Pid)
		return nil
	}}
}

// orphanedCommand ends once it is a child of PID 1.
func orphanedCommand() *cobra.Command {
	return &cobra.Command{Use: "orphaned", Args: cobra.NoArgs, Run: func(*cobra.Command, []string) {
		for os.Getppid() != 1 {
			time.Sleep(time.Millisecond)
		}
	}}
}

// statesCommand prints every process as "pid state", one a line.
func statesCommand() *cobra.Command {
	return &cobra.Command{Use: "states", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		all, err := procfs.AllProcs()
		if err != nil {
			return err
		}
		for _, p := range all {
			stat, err := p.Stat()
			if err != nil {
				continue // ended while it was read
			}
			fmt.Println(stat.PID, stat.State)
		}
		return nil
	}}
}

// resolveCommand looks a name up as the C library would, and prints
// /etc/resolv.conf before it.
func resolveCommand() *cobra.Command {
	return &cobra.Command{Use: "resolve NAME", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		conf, err := os.ReadFile("/etc/resolv.conf")
		if err != nil {
			return err
		}
		addrs, err := net.DefaultResolver.LookupHost(cmd.Context(), args[0])
		fmt.Printf("%s%s\n", conf, strings.Join(addrs, " "))
		return err
	}}
}
