// Command kubernetes holds every program of the lab's nodes and acts as the one whose name it was started by.
//
// One program instead of eleven: they share most of their packages, so that the whole is a fifth of their sum
// on disk, in images and in the time to link.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // CronJob time zones

	"github.com/coredns/coredns/coremain"
	"go.etcd.io/etcd/etcdctl/v3/ctlv3"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmerrors "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// corednsFlags are those that CoreDNS registers for the whole process when it is loaded.
var corednsFlags = []string{"conf", "plugins", "pidfile", "version", "quiet", "dns.port", "p"}

var programs = map[string]func(){
	"coredns":                 coremain.Run,
	"etcd":                    func() { etcdmain.Main(os.Args) },
	"etcdctl":                 ctlv3.MustStart,
	"flanneld":                runFlanneld,
	"kube-apiserver":          func() { os.Exit(cli.Run(apiserver.NewAPIServerCommand())) },
	"kube-controller-manager": func() { os.Exit(cli.Run(controllermanager.NewControllerManagerCommand())) },
	"kube-proxy":              func() { os.Exit(cli.Run(proxy.NewProxyCommand())) },
	"kube-scheduler":          func() { os.Exit(cli.Run(scheduler.NewSchedulerCommand())) },
	"kubeadm":                 func() { kubeadmerrors.HandleError(kubeadm.Run()) },
	"kubectl":                 runKubectl,
	"kubelet":                 func() { os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background()))) },
}

// isolateFlags gives a program the process-wide flags that it would have if it were alone.
func isolateFlags(program string) {
	if program == "coredns" {
		return
	}
	shared := flag.CommandLine
	flag.CommandLine = flag.NewFlagSet(program, flag.ExitOnError)
	if program != "kubelet" {
		return
	}
	shared.VisitAll(func(registered *flag.Flag) {
		if !slices.Contains(corednsFlags, registered.Name) {
			flag.Var(registered.Value, registered.Name, registered.Usage)
		}
	})
}

func runKubectl() {
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}

func main() {
	program := filepath.Base(os.Args[0])
	run, known := programs[program]
	if !known && len(os.Args) > 1 {
		// `kubernetes kubelet ...` is `kubelet ...`: for the places that have no symbolic link.
		os.Args = os.Args[1:]
		program = filepath.Base(os.Args[0])
		run, known = programs[program]
	}
	if !known {
		names := make([]string, 0, len(programs))
		for name := range programs {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "%q is no program of this binary; link it as one of: %s\n", program, strings.Join(names, ", "))
		os.Exit(2)
	}
	isolateFlags(program)
	run()
}
