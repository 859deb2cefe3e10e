using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using LoraServe.Client;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Server.Access;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>Keys and tenants: who may call what, and whose adapters are seen.</summary>
public class AccessTests
{
    [Fact]
    public async Task Calls_WithoutAKnownKey_AreRefused()
    {
        await using TestServer server = await TestServer.StartTinyAsync(access: Keys());
        await Refused.WithAsync(StatusCode.Unauthenticated, server.Client.Inference.GenerateAsync(Ask.For("")), "authorization: Bearer");
        await Refused.WithAsync(StatusCode.Unauthenticated, server.Client.Adapters.ListAsync(new ListAdaptersRequest()), "authorization: Bearer");
        await Refused.WithAsync(StatusCode.Unauthenticated, async () => await server.Client.Inference.GenerateStream(Ask.For("")).ResponseStream.MoveNext(default));
        await Refused.WithAsync(StatusCode.Unauthenticated, () => server.Client.UploadAdapterAsync("a", server.WriteAdapter("a", 1)));
        LoraServeClient stranger = server.ClientWith("guessed");
        await Refused.WithAsync(StatusCode.Unauthenticated, stranger.Inference.GenerateAsync(Ask.For("")), "Unknown key");
        Assert.Equal(10, (await server.ClientWith("red").Inference.GenerateAsync(Ask.For(""))).Choices[0].TokenIds.Count);
    }

    [Fact]
    public async Task Tenants_ManageTheirOwnAdaptersOnly()
    {
        await using TestServer server = await TestServer.StartTinyAsync(access: Keys());
        string folder = server.WriteAdapter("files", 1);
        LoraServeClient red = server.ClientWith("red");
        LoraServeClient blue = server.ClientWith("blue");
        LoraServeClient admin = server.ClientWith("admin");
        await Refused.WithAsync(StatusCode.PermissionDenied, red.Adapters.LoadAsync(new LoadAdapterRequest { Name = "x", Path = "files" }), "'red-tenant'", "administrator");
        Assert.Equal("red-tenant", (await red.UploadAdapterAsync("of-red", folder)).Adapter.Owner);
        await blue.UploadAdapterAsync("of-blue", TinyFiles.WriteAdapter(Path.Combine(server.Outside, "blue"), 2));
        await admin.Adapters.LoadAsync(new LoadAdapterRequest { Name = "of-admin", Path = "files" });

        // One tenant's adapter looks to the other like one that is not there.
        await Refused.WithAsync(StatusCode.NotFound, blue.Inference.GenerateAsync(Ask.For("of-red")), "There is no adapter 'of-red'");
        await Refused.WithAsync(StatusCode.NotFound, blue.Inference.GenerateAsync(Ask.For("of-blue+of-red@1:0.5")), "There is no adapter 'of-red@1'");
        await Refused.WithAsync(StatusCode.NotFound, blue.Inference.ScoreAsync(new ScoreRequest { Adapter = "of-red", PromptTokenIds = { 1, 2 } }), "of-red");
        await Refused.WithAsync(StatusCode.NotFound, blue.Inference.EmbedAsync(new EmbedRequest { Adapter = "of-red", Input = { "x" } }), "of-red");
        await Refused.WithAsync(StatusCode.NotFound, blue.Inference.ChatAsync(new ChatRequest { Adapter = "of-red", Messages = { new ChatMessage { Role = "user", Content = "x" } } }), "of-red");
        await Refused.WithAsync(StatusCode.NotFound, blue.Adapters.GetAsync(new GetAdapterRequest { Name = "of-red" }), "of-red");
        await Refused.WithAsync(StatusCode.NotFound, blue.Adapters.MergeAsync(new MergeAdaptersRequest { Name = "m", Inputs = { new MergeInput { Name = "of-red" } } }), "of-red");
        Assert.DoesNotContain("of-red", await NamesAsync(blue));

        // Nor can it be changed.
        await Refused.WithAsync(StatusCode.PermissionDenied, blue.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = "of-red" }), "'blue-tenant'");
        await Refused.WithAsync(StatusCode.PermissionDenied, () => blue.UploadAdapterAsync("of-red", folder), "'blue-tenant'");
        await Refused.WithAsync(StatusCode.PermissionDenied, blue.Adapters.SetAliasAsync(new SetAliasRequest { Alias = "mine", Target = "of-red" }), "'blue-tenant'");
        await Refused.WithAsync(StatusCode.PermissionDenied, blue.Adapters.PinAsync(new PinAdapterRequest { Name = "of-blue", Pinned = true }), "administrator");

        Assert.Contains("of-red", await NamesAsync(red));
        Assert.Equal(["of-admin", "of-blue", "of-red"], await NamesAsync(admin));
        await red.Inference.GenerateAsync(Ask.For("of-red"));
        await admin.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = "of-red" });
        await Refused.WithAsync(StatusCode.NotFound, red.Inference.GenerateAsync(Ask.For("of-red")));
    }

    [Theory]
    [InlineData("red", "blue")]
    [InlineData("red", "red")]
    [InlineData("guessed", "admin")]
    public async Task Call_WithTwoKeys_IsRefused(string first, string second)
    {
        await using TestServer server = await TestServer.StartTinyAsync(access: Keys());
        var both = new Metadata { { "authorization", $"Bearer {first}" }, { "authorization", $"Bearer {second}" } };
        await Refused.WithAsync(StatusCode.Unauthenticated, server.Client.Inference.GenerateAsync(Ask.For(""), both), "More than one key");
    }

    [Fact]
    public async Task Aliases_OfOthers_CannotBeTakenByAnUploadOrATrainingJob()
    {
        await using TestServer server = await TestServer.StartTinyAsync(access: Keys(), trains: true);
        LoraServeClient red = server.ClientWith("red");
        LoraServeClient blue = server.ClientWith("blue");
        LoraServeClient admin = server.ClientWith("admin");
        string folder = server.WriteAdapter("files", 1);
        await red.UploadAsync("of-red", folder, "live");
        await admin.UploadAsync("official", folder, "prod");
        TrainingData data = await blue.UploadRowsAsync("""{"prompt": "a", "completion": "b"}""");
        foreach (string alias in new[] { "live", "prod", "of-red", "official", "files" })
        {
            await Refused.WithAsync(StatusCode.PermissionDenied, blue.Adapters.SetAliasAsync(new SetAliasRequest { Alias = alias, Target = "of-blue" }), "'blue-tenant'");
            await Refused.WithAsync(StatusCode.PermissionDenied, () => blue.UploadAsync("of-blue", folder, alias), "'blue-tenant'");
            await Refused.WithAsync(StatusCode.PermissionDenied, () => blue.UploadAdapterAsync(alias, folder), "'blue-tenant'");
            await Refused.WithAsync(
                StatusCode.PermissionDenied,
                blue.Training.StartAsync(new StartTrainingRequest { TrainingData = data, Publish = new PublishTarget { Name = "of-blue", Aliases = { alias } } }), "'blue-tenant'");
            await Refused.WithAsync(
                StatusCode.NotFound,
                blue.Training.StartAsync(new StartTrainingRequest { TrainingData = data, Method = new MethodOptions { InitFrom = "live" } }), "There is no adapter 'live'");
        }

        Assert.Equal("of-red", (await red.Adapters.GetAsync(new GetAdapterRequest { Name = "live" })).Name);
        Assert.Equal("official", (await admin.Adapters.GetAsync(new GetAdapterRequest { Name = "prod" })).Name);
        Assert.Empty(await NamesAsync(blue));
    }

    [Fact]
    public async Task NamesBelowTheRoot_BeforeTheirFirstUse_AreTheOperators()
    {
        await using TestServer server = await TestServer.StartTinyAsync(access: Keys());
        server.WriteAdapter("shared-style", 1);
        string others = TinyFiles.WriteAdapter(Path.Combine(server.Outside, "others"), 2);
        LoraServeClient blue = server.ClientWith("blue");
        await Refused.WithAsync(StatusCode.PermissionDenied, () => blue.UploadAdapterAsync("shared-style", others), "'blue-tenant'");
        await Refused.WithAsync(StatusCode.PermissionDenied, () => blue.UploadAsync("of-blue", others, "shared-style"), "'blue-tenant'");
        GenerateResponse answer = await server.ClientWith("red").Inference.GenerateAsync(Ask.For("shared-style"));
        Assert.Equal(answer.Adapters, (await server.ClientWith("admin").Inference.GenerateAsync(Ask.For("shared-style"))).Adapters);
        Assert.Equal("", server.Engine.Adapters.Get(LoraServe.Serving.Requests.Principal.Operator, "shared-style").Owner);
    }

    private static async Task<IEnumerable<string>> NamesAsync(LoraServeClient client) =>
        (await client.Adapters.ListAsync(new ListAdaptersRequest())).Adapters.Select(adapter => adapter.Name);

    private static AccessOptions Keys()
    {
        var options = new AccessOptions();
        foreach (string name in new[] { "red", "blue", "admin" })
        {
            options.Keys.Add(new AccessKey
            {
                Sha256 = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name))),
                Tenant = $"{name}-tenant",
                Admin = name == "admin",
            });
        }

        return options;
    }
}
