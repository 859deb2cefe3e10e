using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Soak;

/// <summary>One caller that does something at random.</summary>
internal sealed class SoakCaller(TestServer server, KnownContents known, SoakCounts counts, Random random)
{
    private static readonly string[] s_names = ["x", "y", "z"];

    public async Task DoSomethingAsync()
    {
        try
        {
            switch (random.Next(20))
            {
                case 0 or 1:
                    await server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = Name(), Path = Content(), Pin = random.Next(8) == 0 });
                    counts.Change();
                    break;
                case 2:
                    await server.Client.UploadAdapterAsync(Name(), Path.Combine(server.AdapterRoot, Content()));
                    counts.Change();
                    break;
                case 3:
                    await server.Client.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = Name(), DeleteFiles = true });
                    counts.Change();
                    break;
                case 4:
                    await server.Client.Adapters.SetAliasAsync(new SetAliasRequest { Alias = "best", Target = Name() });
                    counts.Change();
                    break;
                case 5:
                    await server.Client.Adapters.PinAsync(new PinAdapterRequest { Name = Name(), Pinned = random.Next(2) == 0 });
                    counts.Change();
                    break;
                case 6:
                    server.Engine.Adapters.BudgetBytes = random.Next(40_000, 400_000);
                    break;
                case 7:
                    await UploadHalfAsync();
                    break;
                case 8:
                    await VanishingClient.AskAsync(server, Adapter(), withoutGoodbye: random.Next(2) == 0);
                    counts.Abandon();
                    break;
                case 9 or 10:
                    await GiveUpAsync();
                    break;
                case 11:
                    await server.Client.Inference.GenerateAsync(Ask.For(Adapter(), temperature: float.NaN));
                    counts.Faults.Enqueue("a temperature that is no number was taken");
                    break;
                default:
                    await AskAsync();
                    break;
            }
        }
        catch (RpcException refusal)
        {
            Note(refusal);
        }
    }

    private void Note(RpcException refusal)
    {
        switch (refusal.StatusCode)
        {
            case StatusCode.NotFound or StatusCode.InvalidArgument or StatusCode.ResourceExhausted or StatusCode.FailedPrecondition:
                counts.Refuse();
                break;
            case StatusCode.Cancelled or StatusCode.DeadlineExceeded:
                counts.Abandon();
                break;
            default:
                counts.Faults.Enqueue(refusal.ToString());
                break;
        }
    }

    private async Task AskAsync()
    {
        int prompt = random.Next(KnownContents.Prompts);
        known.Check(await server.AskAsync(KnownContents.Request(Adapter(), prompt)), prompt);
        counts.Answer();
    }

    /// <summary>Asks for a long answer and allows no time for it, or changes its mind.</summary>
    private async Task GiveUpAsync()
    {
        GenerateRequest request = Ask.For(Adapter(), seed: random.Next(8), tokens: 300);
        TimeSpan patience = TimeSpan.FromMilliseconds(random.Next(1, 30));
        using var changedMind = new CancellationTokenSource(patience * 2);
        DateTime? deadline = random.Next(2) == 0 ? DateTime.UtcNow + patience : null;
        await server.Client.Inference.GenerateAsync(request, deadline: deadline, cancellationToken: changedMind.Token);
        counts.Answer();
    }

    private async Task UploadHalfAsync()
    {
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> call = server.Client.Adapters.Upload();
        await call.RequestStream.WriteAsync(new UploadAdapterRequest { Header = new UploadHeader { Name = Name() } });
        var chunk = new FileChunk { File = "adapter_config.json", Data = Google.Protobuf.ByteString.CopyFromUtf8("{}") };
        await call.RequestStream.WriteAsync(new UploadAdapterRequest { Chunk = chunk });
        if (random.Next(2) == 0)
        {
            await call.RequestStream.CompleteAsync();
            await call;
        }
    }

    private string Name() => s_names[random.Next(s_names.Length)];

    private string Content() => known.Folders[random.Next(known.Folders.Count)];

    /// <summary>What a request may name; the names may be out of service at the moment.</summary>
    private string Adapter()
    {
        int choice = random.Next(s_names.Length + 2);
        return choice == 0 ? "" : choice == 1 ? "best" : s_names[choice - 2];
    }
}
