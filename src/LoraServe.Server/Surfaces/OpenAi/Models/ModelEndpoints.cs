using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LoraServe.Server.Surfaces.OpenAi.Models;

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/{id}</c>: the base, and what a caller may use beside it.</summary>
internal sealed class ModelEndpoints(ServedModel served, TimeProvider time)
{
    private const string Operator = "loraserve";

    private readonly long _started = time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>The base, each adapter by its name, and each alias.</summary>
    public Task ListAsync(HttpContext context)
    {
        IReadOnlyList<AdapterRecord> adapters = served.Engine.Adapters.List(CallContext.CallerOf(context));
        ModelCard[] cards =
        [
            Base(),
            .. adapters.Where(adapter => adapter.IsLatest).Select(adapter => Card(adapter.Name, adapter)),
            .. adapters.SelectMany(adapter => adapter.Aliases.Select(alias => Card(alias, adapter))).OrderBy(card => card.Id, StringComparer.Ordinal),
        ];
        return JsonAnswer.WriteAsync(context, new ModelList(cards), OpenAiJson.Instance.ModelList);
    }

    /// <summary>What one name means now, also that of a version.</summary>
    public Task GetAsync(HttpContext context)
    {
        string id = (string)context.GetRouteValue("id")!;
        Principal caller = CallContext.CallerOf(context);
        ModelCard card = ModelNames.Adapters(id, served, caller) switch
        {
            [] => Base(),
            [var one] => Card(id, served.Engine.Adapters.Get(caller, one.Name)),
            var stack => Card(id, [.. stack.Select(part => (part, served.Engine.Adapters.Get(caller, part.Name)))]),
        };
        return JsonAnswer.WriteAsync(context, card, OpenAiJson.Instance.ModelCard);
    }

    private ModelCard Base() => new(served.Model.Name, _started, Operator, null, served.Model.Name, null, null);

    private ModelCard Card(string id, AdapterRecord adapter) =>
        new(id, adapter.PublishedAt.ToUnixTimeSeconds(), adapter.Owner.Length > 0 ? adapter.Owner : Operator, served.Model.Name, Root(adapter), adapter.Version, adapter.Digest);

    // What is put together for a request has no version of its own.
    private ModelCard Card(string id, IReadOnlyList<(AdapterReference Part, AdapterRecord Adapter)> stack) => new(
        id,
        stack.Max(part => part.Adapter.PublishedAt).ToUnixTimeSeconds(),
        Operator,
        served.Model.Name,
        string.Join('+', stack.Select(part => (part.Part with { Name = Root(part.Adapter) }).ToString())),
        null,
        null);

    private static string Root(AdapterRecord adapter) => $"{adapter.Name}@{adapter.Version}";
}
