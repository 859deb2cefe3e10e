using System.Collections.Immutable;
using LoraServe.Adapters;
using LoraServe.Server.Surfaces.Grpc.Adapters;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Adapters;

public sealed class AdapterMappingTests
{
    private static readonly DateTimeOffset s_published = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly AdapterRecord s_record = new()
    {
        Name = "support",
        Version = 3,
        IsLatest = true,
        Aliases = ["stable"],
        Digest = "ab",
        Owner = "alice",
        Source = AdapterSource.Upload,
        Path = "uploads/1",
        Method = "LoRA",
        Tasks = 3,
        MinimumRank = 4,
        MaximumRank = 8,
        Tier = AdapterTier.Resident,
        FileBytes = 10,
        HostBytes = 11,
        ResidentBytes = 12,
        IsPinned = true,
        InUse = 13,
        Hits = 14,
        Misses = 15,
        LastLoadSeconds = 0.5,
        PublishedAt = s_published,
        LastUsedAt = null,
    };

    public static TheoryData<AdapterEventType> EventTypes => [.. Enum.GetValues<AdapterEventType>()];

    public static TheoryData<AdapterTier> Tiers => [.. Enum.GetValues<AdapterTier>()];

    [Fact]
    public void ToMessage_Record_CarriesEveryField()
    {
        Proto.Adapter message = AdapterMapping.ToMessage(s_record);

        Assert.Equal(("support", 3u, "ab", "alice", "LoRA"), (message.Name, message.Version, message.Digest, message.Owner, message.Method));
        Assert.Equal("upload: uploads/1", message.Source);
        Assert.Equal((10ul, 11ul, 12ul), (message.DiskBytes, message.HostBytes, message.ResidentBytes));
        Assert.Equal((true, true, 13u), (message.Pinned, message.Latest, message.InUse));
        Assert.Equal((29ul, 14ul, 15ul), (message.Requests, message.Hits, message.Misses));
        Assert.Equal((3u, 4u, 8u, 0.5), (message.Tasks, message.MinRank, message.MaxRank, message.LastLoadSeconds));
        Assert.Equal(("stable", s_published, null), (Assert.Single(message.Aliases), message.PublishedAt.ToDateTimeOffset(), message.LastUsedAt));
    }

    [Fact]
    public void ToMessage_Record_LeavesNoFieldUnset()
    {
        Proto.Adapter message = AdapterMapping.ToMessage(s_record with { LastUsedAt = s_published });

        Assert.All(
            Proto.Adapter.Descriptor.Fields.InDeclarationOrder(),
            field => Assert.False(field.Accessor.GetValue(message) is null or 0u or 0ul or "" or false, $"{field.Name} is not mapped."));
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void ToMessage_EveryTier_KeepsItsName(AdapterTier tier) =>
        Assert.Equal(tier.ToString(), AdapterMapping.ToMessage(s_record with { Tier = tier }).Tier.ToString());

    [Theory]
    [MemberData(nameof(EventTypes))]
    public void ToMessage_EveryEvent_KeepsItsName(AdapterEventType type)
    {
        Proto.AdapterEvent message = AdapterMapping.ToMessage(new AdapterEvent(type, "support", s_record, s_published, "why"));

        Assert.Equal(type.ToString(), message.Type.ToString());
        Assert.Equal((3u, s_published, "why"), (message.Adapter.Version, message.At.ToDateTimeOffset(), message.Detail));
        Assert.Equal(type == AdapterEventType.AliasChanged ? "support" : "", message.Alias);
    }

    [Fact]
    public void ToMessage_EventOfNoVersion_HasItsName() =>
        Assert.Equal(("stable", 0u), AdapterMapping.ToMessage(new AdapterEvent(AdapterEventType.AliasChanged, "stable", null, s_published)).Adapter is var adapter ? (adapter.Name, adapter.Version) : default);

    [Fact]
    public void ToMessage_Report_CarriesEveryField()
    {
        var report = new AdapterReport
        {
            Method = "LoRA",
            MatchedModules = ["q", "v"],
            UnmatchedModules = ["x"],
            MinimumRank = 4,
            MaximumRank = 8,
            DeltaNorms = ImmutableSortedDictionary<string, double>.Empty.Add("q_proj", 1.5),
            FileBytes = 10,
            TensorCount = 4,
        };

        Proto.LoadAdapterResponse response = AdapterMapping.ToMessage(new PublishResult(s_record, new LoadReport(report, ResidentBytes: 12, ProbeLogitChange: 0.25, LoadSeconds: 2)));

        Assert.Equal((2u, 4u, 8u, 12ul), (response.Report.MatchedModules, response.Report.MinRank, response.Report.MaxRank, response.Report.ResidentBytes));
        Assert.Equal((0.25, 2.0, 1.5), (response.Report.ProbeLogitChange, response.Report.LoadSeconds, response.Report.Norms["q_proj"]));
        Assert.Equal(("x", "support"), (Assert.Single(response.Report.UnmatchedModules), response.Adapter.Name));
    }
}
