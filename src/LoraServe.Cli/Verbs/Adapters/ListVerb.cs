using System.CommandLine;
using Grpc.Core;
using LoraServe.Adapters;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Loading;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;
using LoraServe.Client;
using LoraServe.Studio;
using LoraServe.V1;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary><c>loraserve adapters list</c>: the adapters of a server or below a folder.</summary>
internal static class ListVerb
{
    private const int ShownDigest = 12;
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    public static Command Create()
    {
        var address = new Option<string>("--address") { Description = "List what this server has, such as http://localhost:8080.", HelpName = "URL" };
        var key = new Option<string>("--key") { Description = "The server's access key.", HelpName = "KEY" };
        var root = new Option<string>("--adapter-root") { Description = "List the adapters in the folders below this one.", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Print one object a line." };
        var verb = new Command("list", "List the adapters of a server, or below a folder.") { address, key, root, json };
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            TextWriter output = arguments.InvocationConfiguration.Output;
            switch (arguments.GetValue(address), arguments.GetValue(root))
            {
                case ({ } url, null):
                    await ListServerAsync(url, arguments.GetValue(key), arguments.GetValue(json), output, cancellationToken).ConfigureAwait(false);
                    break;
                case (null, { } folder):
                    ListFolder(folder, arguments.GetValue(json), output);
                    break;
                default:
                    throw new UsageException("Give either --address or --adapter-root.");
            }
        });
        return verb;
    }

    private static async Task ListServerAsync(string url, string? key, bool json, TextWriter output, CancellationToken cancellationToken)
    {
        using var client = new LoraServeClient(ServerAddress.Parse(url), new LoraServeClientOptions { Key = key });
        ListAdaptersResponse answer;
        try
        {
            DateTime deadline = TimeProvider.System.GetUtcNow().UtcDateTime + s_timeout;
            answer = await client.Adapters.ListAsync(new ListAdaptersRequest(), deadline: deadline, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException exception)
        {
            throw ServerAddress.Failure(url, exception);
        }

        Table table = Terminal.Table("adapter", "method", ">rank", "where", ">memory", ">requests", "digest");
        foreach (V1.Adapter adapter in answer.Adapters)
        {
            if (json)
            {
                output.WriteJson(new
                {
                    adapter.Name,
                    adapter.Version,
                    adapter.Method,
                    adapter.MinRank,
                    adapter.MaxRank,
                    adapter.Tier,
                    adapter.DiskBytes,
                    adapter.ResidentBytes,
                    adapter.Requests,
                    adapter.Pinned,
                    adapter.Latest,
                    adapter.Aliases,
                    adapter.Digest,
                });
            }
            else
            {
                string rank = adapter.MinRank == adapter.MaxRank ? $"{adapter.MaxRank}" : $"{adapter.MinRank}-{adapter.MaxRank}";
                string digest = adapter.Digest[..Math.Min(ShownDigest, adapter.Digest.Length)];
                string tier = $"{adapter.Tier}".ToLowerInvariant();
                table.AddText($"{adapter.Name}@{adapter.Version}", adapter.Method, rank, tier, Terminal.Bytes(adapter.ResidentBytes), $"{adapter.Requests}", digest);
            }
        }

        if (!json)
        {
            Terminal.Console(output).Write(table);
            await output.WriteLineAsync($"{Terminal.Bytes(answer.ResidentBytes)} of {Terminal.Bytes(answer.BudgetBytes)} in use.").ConfigureAwait(false);
        }
    }

    private static void ListFolder(string folder, bool json, TextWriter output)
    {
        if (!Directory.Exists(folder))
        {
            throw new CommandException($"{folder}: no such folder.");
        }

        Table table = Terminal.Table("adapter", "method", ">rank", ">bytes", "digest");
        foreach (string path in Directory.EnumerateDirectories(folder).Where(path => File.Exists(Path.Combine(path, AdapterFileNames.Config))).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(path);
            try
            {
                AdapterInspection inspection = AdapterInspection.Read(path);
                if (json)
                {
                    output.WriteJson(new { Name = name, inspection.Method, inspection.Rank, inspection.FileBytes, inspection.Digest });
                }
                else
                {
                    table.AddText(name, inspection.Method, $"{inspection.Rank}", Terminal.Bytes(inspection.FileBytes), inspection.Digest[..ShownDigest]);
                }
            }
            catch (AdapterFormatException damaged) when (json)
            {
                output.WriteJson(new { Name = name, Error = damaged.Message });
            }
            catch (AdapterFormatException)
            {
                table.AddText(name, "damaged: see inspect", "", "", "");
            }
        }

        if (!json)
        {
            Terminal.Console(output).Write(table);
        }
    }
}
