using Grpc.Core;
using LoraServe.Server.Access;
using LoraServe.Serving;
using LoraServe.Serving.Store;

namespace LoraServe.Server.Tests.Access;

public sealed class AdapterAccessTests
{
    private static readonly Principal s_alice = new("alice", IsAdmin: false);
    private static readonly Principal s_bob = new("bob", IsAdmin: false);
    private static readonly Principal s_admin = new("operator", IsAdmin: true);

    [Fact]
    public async Task RequireUse_OwnSharedAndUnknownAdapters_AreAllowed()
    {
        await using SmallEngine small = await CreateAsync();

        AdapterAccess.RequireUse(
            s_alice, small.Engine.Adapters, [new AdapterReference("hers"), new AdapterReference("hers@1"), new AdapterReference("everybodys"), new AdapterReference("cold")]);
    }

    [Fact]
    public async Task RequireUse_AnothersAdapter_LooksLikeNone()
    {
        await using SmallEngine small = await CreateAsync();
        AdapterStore store = small.Engine.Adapters;

        EngineException refusal = Assert.Throws<EngineException>(() => AdapterAccess.RequireUse(s_bob, store, [new AdapterReference("everybodys"), new AdapterReference("hers")]));
        EngineException unknown = Assert.Throws<EngineException>(() => store.Get("nobodys"));

        Assert.Equal(EngineError.UnknownAdapter, refusal.Error);
        Assert.Equal(unknown.Error, refusal.Error);
        Assert.DoesNotContain("alice", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequireUse_Alias_CountsAsWhatItPointsTo()
    {
        await using SmallEngine small = await CreateAsync();
        AdapterStore store = small.Engine.Adapters;

        store.SetAlias("stable", "hers");

        Assert.Throws<EngineException>(() => AdapterAccess.RequireUse(s_bob, store, [new AdapterReference("stable")]));
        AdapterAccess.RequireUse(s_alice, store, [new AdapterReference("stable")]);
    }

    [Fact]
    public async Task RequireChange_OwnAndNewNames_AreAllowed()
    {
        await using SmallEngine small = await CreateAsync();
        AdapterStore store = small.Engine.Adapters;

        AdapterAccess.RequireChange(s_alice, store, "hers");
        AdapterAccess.RequireChange(s_bob, store, "new");
    }

    [Theory]
    [InlineData("hers")]
    [InlineData("everybodys")]
    public async Task RequireChange_WhatIsNotOnesOwn_IsDenied(string name)
    {
        await using SmallEngine small = await CreateAsync();

        RpcException refusal = Assert.Throws<RpcException>(() => AdapterAccess.RequireChange(s_bob, small.Engine.Adapters, name));

        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
    }

    [Fact]
    public async Task Administrators_MayDoAll()
    {
        await using SmallEngine small = await CreateAsync();
        AdapterStore store = small.Engine.Adapters;

        AdapterAccess.RequireUse(s_admin, store, [new AdapterReference("hers")]);
        AdapterAccess.RequireChange(s_admin, store, "hers");
        s_admin.RequireAdmin("pin");
        Assert.All(store.List(), adapter => Assert.True(AdapterAccess.CanUse(s_admin, adapter)));
        Assert.Equal(["everybodys"], store.List().Where(adapter => AdapterAccess.CanUse(s_bob, adapter)).Select(adapter => adapter.Name));
    }

    [Fact]
    public void RequireAdmin_ATenant_IsToldWhatItMayNot()
    {
        EngineException refusal = Assert.Throws<EngineException>(() => s_bob.RequireAdmin("pin adapters"));

        Assert.Equal(EngineError.PermissionDenied, refusal.Error);
        Assert.Contains("'bob' may not pin adapters", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<SmallEngine> CreateAsync()
    {
        var small = new SmallEngine();
        await small.PublishAsync("hers", "alice");
        await small.PublishAsync("everybodys", "");
        return small;
    }
}
