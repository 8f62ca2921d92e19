package main

// The chain: the SDK's runtime with our modules, an upgrade that the second
// flavour knows, and one failure that a test can ask for.

import (
	"encoding/json"
	"fmt"
	"io"

	"cosmossdk.io/depinject"
	"cosmossdk.io/log"
	upgradekeeper "cosmossdk.io/x/upgrade/keeper"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cast"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
)

// failAtKey is a line of app.toml: the height at which this node fails.
const failAtKey = "fail-at-height"

// app is the chain in one process.
type app struct {
	*runtime.App
	codec   codec.Codec
	upgrade *upgradekeeper.Keeper

	failAt int64
	// executed says that this process has executed a block.
	executed bool
}

func newApp(logger log.Logger, db dbm.DB, trace io.Writer, opts servertypes.AppOptions) servertypes.Application {
	return build(logger, db, trace, true, opts, server.DefaultBaseappOptions(opts)...)
}

// build panics where the wiring is wrong, as the SDK's own programs do: there
// is no chain to run then.
func build(logger log.Logger, db dbm.DB, trace io.Writer, latest bool, opts servertypes.AppOptions, base ...func(*baseapp.BaseApp)) *app {
	a := &app{failAt: cast.ToInt64(opts.Get(failAtKey))}
	var builder *runtime.AppBuilder
	wiring := depinject.Configs(chainModules(), depinject.Supply(opts, logger))
	if err := depinject.Inject(wiring, &builder, &a.codec, &a.upgrade); err != nil {
		panic(err)
	}
	a.App = builder.Build(db, trace, base...)
	a.upgrade.SetVersionSetter(a.BaseApp)
	a.knowUpgrade()
	if err := a.Load(latest); err != nil {
		panic(err)
	}
	return a
}

// FinalizeBlock executes a block, and fails at failAt: CometBFT then says
// CONSENSUS FAILURE and the node is deaf, though its process lives.
//
// The first block that a process executes never fails. Started again, a node
// first executes the stored block at which it stopped, so a plain restart heals
// it, with no file to remember anything by.
func (a *app) FinalizeBlock(req *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	if a.executed && req.Height == a.failAt {
		panic(fmt.Sprintf("%s = %d in app.toml: this node fails here, once", failAtKey, a.failAt))
	}
	a.executed = true
	return a.App.FinalizeBlock(req)
}

// export writes the state at a height as a genesis (`hubd export`).
func export(logger log.Logger, db dbm.DB, trace io.Writer, height int64, _ bool, _ []string, opts servertypes.AppOptions, modules []string) (servertypes.ExportedApp, error) {
	a := build(logger, db, trace, height == -1, opts)
	if height != -1 {
		if err := a.LoadHeight(height); err != nil {
			return servertypes.ExportedApp{}, err
		}
	}
	ctx := a.NewContextLegacy(true, cmtproto.Header{Height: a.LastBlockHeight()})
	genesis, err := a.ModuleManager.ExportGenesisForModules(ctx, a.codec, modules)
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	state, err := json.Marshal(genesis)
	return servertypes.ExportedApp{
		AppState:        state,
		Height:          a.LastBlockHeight() + 1,
		ConsensusParams: a.GetConsensusParams(ctx),
	}, err
}
