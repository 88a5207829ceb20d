package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/alloc"
	_ "github.com/flannel-io/flannel/pkg/backend/hostgw"
	_ "github.com/flannel-io/flannel/pkg/backend/vxlan"
	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/ipmatch"
	"github.com/flannel-io/flannel/pkg/subnet"
	"github.com/flannel-io/flannel/pkg/subnet/kube"
	"github.com/flannel-io/flannel/pkg/trafficmngr"
	"github.com/flannel-io/flannel/pkg/trafficmngr/iptables"
	"github.com/flannel-io/flannel/pkg/trafficmngr/nftables"
	"github.com/flannel-io/flannel/pkg/version"
	"k8s.io/klog/v2"
)

// words collects a flag that may be given more than once.
type words []string

func (w *words) String() string { return strings.Join(*w, ",") }

func (w *words) Set(value string) error {
	*w = append(*w, value)
	return nil
}

// flannelOptions are the options of flannel's own flanneld that a Kubernetes cluster uses; the parser refuses others.
type flannelOptions struct {
	annotationPrefix, apiURL, healthzIP, kubeconfig, networkFile, publicIP, publicIPv6, subnetFile string
	canReach                                                                                       string
	interfaces, interfacePatterns                                                                  words
	healthzPort, resyncSeconds                                                                     int
	forwardRules, kubernetes, masquerade, masqueradeFixed, networkUnavailable, printVersion        bool
}

func parseFlannelOptions(arguments []string) *flannelOptions {
	o := &flannelOptions{}
	flags := flag.NewFlagSet("flanneld", flag.ExitOnError)
	flags.BoolVar(&o.kubernetes, "kube-subnet-mgr", false, "take subnets from the Kubernetes API (required here)")
	flags.StringVar(&o.apiURL, "kube-api-url", "", "Kubernetes API server, unless in a pod")
	flags.StringVar(&o.kubeconfig, "kubeconfig-file", "", "kubeconfig, unless in a pod")
	flags.StringVar(&o.annotationPrefix, "kube-annotation-prefix", "flannel.alpha.coreos.com", "prefix of node annotations")
	flags.StringVar(&o.networkFile, "net-config-path", "/etc/kube-flannel/net-conf.json", "network configuration")
	flags.StringVar(&o.subnetFile, "subnet-file", "/run/flannel/subnet.env", "where the CNI plugin reads the subnet")
	flags.Var(&o.interfaces, "iface", "interface (name or address) between hosts; the first that matches")
	flags.Var(&o.interfacePatterns, "iface-regex", "the same as a regular expression")
	flags.StringVar(&o.canReach, "iface-can-reach", "", "the interface by which this address is reached")
	flags.StringVar(&o.publicIP, "public-ip", "", "address by which other nodes reach this one")
	flags.StringVar(&o.publicIPv6, "public-ipv6", "", "IPv6 address by which other nodes reach this one")
	flags.BoolVar(&o.masquerade, "ip-masq", false, "masquerade what leaves the pod network")
	flags.BoolVar(&o.masqueradeFixed, "ip-masq-fully-random-disable", false, "no random source ports when masquerading")
	flags.BoolVar(&o.forwardRules, "iptables-forward-rules", true, "accept forwarded pod traffic")
	flags.IntVar(&o.resyncSeconds, "iptables-resync", 5, "seconds between checks of the rules")
	flags.BoolVar(&o.networkUnavailable, "set-node-network-unavailable", true, "keep the node's NetworkUnavailable condition")
	flags.StringVar(&o.healthzIP, "healthz-ip", "0.0.0.0", "address of /healthz")
	flags.IntVar(&o.healthzPort, "healthz-port", 0, "port of /healthz; 0: none")
	flags.BoolVar(&o.printVersion, "version", false, "print the version and exit")
	logging := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(logging)
	for _, name := range []string{"v", "vmodule"} {
		registered := logging.Lookup(name)
		flags.Var(registered.Value, name, registered.Usage)
	}
	_ = flags.Parse(arguments) // ExitOnError
	return o
}

func (o *flannelOptions) externalInterface(families int) (*backend.ExternalInterface, error) {
	public := ipmatch.PublicIPOpts{PublicIP: o.publicIP, PublicIPv6: o.publicIPv6}
	if len(o.interfaces)+len(o.interfacePatterns) == 0 && o.canReach == "" {
		address := o.publicIP
		if address == "" {
			address = o.publicIPv6
		}
		return ipmatch.LookupExtIface(address, "", "", families, public)
	}
	var failures []error
	try := func(name, pattern, reach string) *backend.ExternalInterface {
		found, err := ipmatch.LookupExtIface(name, pattern, reach, families, public)
		if err != nil {
			failures = append(failures, err)
		}
		return found
	}
	for _, name := range o.interfaces {
		if found := try(name, "", ""); found != nil {
			return found, nil
		}
	}
	for _, pattern := range o.interfacePatterns {
		if found := try("", pattern, ""); found != nil {
			return found, nil
		}
	}
	if o.canReach != "" {
		if found := try("", "", o.canReach); found != nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("no interface matches: %w", errors.Join(failures...))
}

func networkConfig(ctx context.Context, manager subnet.Manager) (*subnet.Config, error) {
	for {
		config, err := manager.GetNetworkConfig(ctx)
		if err == nil && config != nil {
			return config, nil
		}
		klog.Errorf("no network configuration yet: %v", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func trafficManager(useNftables bool) trafficmngr.TrafficManager {
	if useNftables {
		return &nftables.NFTablesManager{}
	}
	return &iptables.IPTablesManager{}
}

// lastSubnet is what the subnet file of an earlier start holds under a key (IPv4), or the zero network.
func lastSubnet(path, key string) ip.IP4Net {
	content, err := os.ReadFile(path)
	if err != nil {
		return ip.IP4Net{}
	}
	for line := range strings.Lines(string(content)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), key+"="); found {
			if _, network, err := net.ParseCIDR(value); err == nil && network.IP.To4() != nil {
				return ip.FromIPNet(network)
			}
		}
	}
	return ip.IP4Net{}
}

func serveHealth(ctx context.Context, address string) {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "flanneld is running") })
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		klog.Fatalf("healthz on %s: %v", address, err)
	}
}

func (o *flannelOptions) run(ctx context.Context, background *sync.WaitGroup) error {
	manager, err := kube.NewSubnetManager(ctx, o.apiURL, o.kubeconfig, o.annotationPrefix, o.networkFile, o.networkUnavailable)
	if err != nil {
		return fmt.Errorf("subnets from the Kubernetes API: %w", err)
	}
	config, err := networkConfig(ctx, manager)
	if err != nil {
		return err
	}
	if config.EnableIPv6 {
		return errors.New("this flanneld serves IPv4 only: remove EnableIPv6 from the network configuration")
	}
	families, err := ipmatch.GetIPFamily(config.EnableIPv4, config.EnableIPv6)
	if err != nil {
		return err
	}
	if stored, _ := manager.GetStoredPublicIP(ctx); stored != "" {
		o.publicIP = stored
	}
	external, err := o.externalInterface(families)
	if err != nil {
		return err
	}
	driver, err := backend.NewManager(ctx, manager, external).GetBackend(config.BackendType)
	if err != nil {
		return fmt.Errorf("backend %q: %w", config.BackendType, err)
	}
	network, err := driver.RegisterNetwork(ctx, background, config)
	if err != nil {
		return fmt.Errorf("registering the network: %w", err)
	}
	// The rules of the other kind may be left from a start with another configuration.
	if err := trafficManager(!config.EnableNFTables).CleanUp(ctx); err != nil {
		return fmt.Errorf("removing old rules: %w", err)
	}
	rules := trafficManager(config.EnableNFTables)
	if err := rules.Init(ctx); err != nil {
		return fmt.Errorf("packet filter: %w", err)
	}
	if o.masquerade {
		before, beforeNetwork := lastSubnet(o.subnetFile, "FLANNEL_SUBNET"), lastSubnet(o.subnetFile, "FLANNEL_NETWORK")
		if err := rules.SetupAndEnsureMasqRules(ctx, config.Network, before, beforeNetwork, config.IPv6Network,
			ip.IP6Net{}, ip.IP6Net{}, network.Lease(), o.resyncSeconds, o.masqueradeFixed); err != nil {
			return fmt.Errorf("masquerading: %w", err)
		}
	}
	if o.forwardRules {
		rules.SetupAndEnsureForwardRules(ctx, config.Network, config.IPv6Network, o.resyncSeconds)
	}
	lease := network.Lease()
	if err := manager.HandleSubnetFile(o.subnetFile, config, o.masquerade, lease.Subnet, lease.IPv6Subnet, network.MTU()); err != nil {
		return fmt.Errorf("writing %s: %w", o.subnetFile, err)
	}
	background.Add(1)
	go func() {
		defer background.Done()
		network.Run(ctx)
	}()
	return manager.CompleteLease(ctx, lease, background)
}

func runFlanneld() {
	o := parseFlannelOptions(os.Args[1:])
	if o.printVersion {
		fmt.Fprintln(os.Stderr, version.Version)
		return
	}
	if !o.kubernetes {
		klog.Exit("this flanneld takes its subnets from Kubernetes only: start it with --kube-subnet-mgr")
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if o.healthzPort > 0 {
		go serveHealth(ctx, net.JoinHostPort(o.healthzIP, strconv.Itoa(o.healthzPort)))
	}
	var background sync.WaitGroup
	if err := o.run(ctx, &background); err != nil && ctx.Err() == nil {
		klog.Exitf("flanneld: %v", err)
	}
	background.Wait()
}
