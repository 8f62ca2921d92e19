// hubd is a small chain like the Cosmos Hub, for tests: the same SDK and
// CometBFT, the modules that a validator's operation touches (staking, slashing,
// evidence, gov, upgrade, authz, feegrant, distribution), the same commands,
// files, ports and log lines. It has no IBC, no contracts and no fee market.
//
// It is linked twice: hubd-v1, and hubd-v2 which knows the upgrade "v2".
package main

import (
	"fmt"
	"os"

	"cosmossdk.io/client/v2/autocli"
	"cosmossdk.io/core/address"
	"cosmossdk.io/depinject"
	"cosmossdk.io/log"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/config"
	"github.com/cosmos/cosmos-sdk/client/debug"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/keys"
	"github.com/cosmos/cosmos-sdk/client/pruning"
	"github.com/cosmos/cosmos-sdk/client/rpc"
	"github.com/cosmos/cosmos-sdk/client/snapshot"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/server"
	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	authcmd "github.com/cosmos/cosmos-sdk/x/auth/client/cli"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
)

// home is where the chain's files are unless --home says otherwise.
var home = os.ExpandEnv("$HOME/.hubd")

func main() {
	// `keys parse` waits for this for ever.
	sdk.GetConfig().Seal()
	root, err := commands()
	if err == nil {
		err = svrcmd.Execute(root, "", home)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// commands is the command line: the SDK's commands, and for each module's
// messages and queries what autocli makes of them.
func commands() (*cobra.Command, error) {
	var (
		auto   autocli.AppOptions
		basics module.BasicManager
		ctx    client.Context
	)
	wiring := depinject.Configs(chainModules(), depinject.Supply(log.NewNopLogger()), depinject.Provide(ProvideClientContext))
	if err := depinject.Inject(wiring, &auto, &basics, &ctx); err != nil {
		return nil, err
	}
	root := &cobra.Command{Use: "hubd", SilenceErrors: true, PersistentPreRunE: readConfig(ctx)}
	root.AddCommand(
		genutilcli.InitCmd(basics, home), genutilcli.Commands(ctx.TxConfig, basics, home),
		keys.Commands(), query(), transaction(), server.StatusCommand(),
		debug.Cmd(), pruning.Cmd(newApp, home), snapshot.Cmd(newApp),
	)
	server.AddCommandsWithStartCmdOptions(root, home, newApp, export, server.StartCmdOptions{})
	auto.ClientCtx = ctx
	return root, auto.EnhanceRootCommand(root)
}

// readConfig reads client.toml, config.toml and app.toml, and makes those that
// are missing, before any command runs.
func readConfig(ctx client.Context) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		cmd.SetOut(cmd.OutOrStdout())
		cmd.SetErr(cmd.ErrOrStderr())
		c, err := client.ReadPersistentCommandFlags(ctx.WithCmdContext(cmd.Context()), cmd.Flags())
		if err != nil {
			return err
		}
		if c, err = config.ReadFromClientConfig(c); err != nil {
			return err
		}
		if err = client.SetCmdClientContextHandler(c, cmd); err != nil {
			return err
		}
		return server.InterceptConfigsPreRunHandler(cmd, serverconfig.DefaultConfigTemplate, serverconfig.DefaultConfig(), cmtcfg.DefaultConfig())
	}
}

func query() *cobra.Command {
	cmd := &cobra.Command{Use: "query", Aliases: []string{"q"}, RunE: client.ValidateCmd}
	cmd.AddCommand(
		rpc.ValidatorCommand(), server.QueryBlockCmd(), server.QueryBlocksCmd(), server.QueryBlockResultsCmd(),
		authcmd.QueryTxCmd(), authcmd.QueryTxsByEventsCmd(), rpc.WaitTxCmd(),
	)
	return cmd
}

func transaction() *cobra.Command {
	cmd := &cobra.Command{Use: "tx", RunE: client.ValidateCmd}
	cmd.AddCommand(
		authcmd.GetSignCommand(), authcmd.GetBroadcastCommand(), authcmd.GetEncodeCommand(),
		authcmd.GetDecodeCommand(), authcmd.GetSimulateCmd(),
	)
	return cmd
}

// ProvideClientContext is exported because depinject asks for that.
func ProvideClientContext(cdc codec.Codec, reg codectypes.InterfaceRegistry, txs client.TxConfig, amino *codec.LegacyAmino, _ address.Codec) client.Context {
	return client.Context{}.
		WithCodec(cdc).WithInterfaceRegistry(reg).WithTxConfig(txs).WithLegacyAmino(amino).
		WithInput(os.Stdin).WithAccountRetriever(authtypes.AccountRetriever{}).
		WithHomeDir(home).WithViper("").WithBroadcastMode(flags.BroadcastSync)
}
