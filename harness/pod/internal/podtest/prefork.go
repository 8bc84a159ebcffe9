package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// preforkCommand is a server as nginx and Apache are: a master that opens the
// listening socket and never accepts, workers that inherit it, and one helper
// process that does not have it (nginx's cache manager).
func preforkCommand() *cobra.Command {
	var listen string
	var workers int
	var uid uint32
	cmd := &cobra.Command{Use: "prefork", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		l, err := net.Listen("tcp", listen)
		if err != nil {
			return err
		}
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			return err
		}
		for range workers {
			if _, err := start(uid, file, "worker"); err != nil {
				return err
			}
		}
		helper, err := start(uid, nil, "idle")
		if err != nil {
			return err
		}
		fmt.Println("ready")
		err = helper.Wait()
		runtime.KeepAlive([]any{l, file}) // or they are closed as garbage
		return err
	}}
	cmd.Flags().StringVar(&listen, "listen", "", "address to listen on")
	cmd.Flags().IntVar(&workers, "workers", 2, "how many workers")
	cmd.Flags().Uint32Var(&uid, "uid", 0, "user of the workers")
	return cmd
}

func start(uid uint32, inherited *os.File, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if uid != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
	}
	if inherited != nil {
		cmd.ExtraFiles = []*os.File{inherited}
	}
	return cmd, cmd.Start()
}

// workerCommand accepts on descriptor 3. A client writes lines "dial ADDR",
// each of which opens one more upstream connection that is kept open, or "drop",
// which closes them; the answer to each is the worker's pid.
func workerCommand() *cobra.Command {
	return &cobra.Command{Use: "worker", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		l, err := net.FileListener(os.NewFile(3, "listener"))
		if err != nil {
			return err
		}
		return serve(l)
	}}
}

// serve answers one client at a time, so that the next one meets another worker.
func serve(l net.Listener) error {
	var upstream []net.Conn
	for {
		client, err := l.Accept()
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(client)
		for lines.Scan() {
			verb, addr, _ := strings.Cut(lines.Text(), " ")
			switch verb {
			case "dial":
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					return err
				}
				upstream = append(upstream, conn)
			case "drop":
				for _, conn := range upstream {
					err = errors.Join(err, conn.Close())
				}
				upstream = nil
			}
			fmt.Fprintln(client, os.Getpid())
		}
		if err := errors.Join(err, client.Close()); err != nil {
			return err
		}
	}
}

// idleCommand waits until it is killed.
func idleCommand() *cobra.Command {
	return &cobra.Command{Use: "idle", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return unix.Pause() }}
}
