using LoraServe.Server.Options;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Chat;
using LoraServe.Server.Surfaces.OpenAi.Completions;
using LoraServe.Server.Surfaces.OpenAi.Embeddings;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LoraServe.Server.Surfaces.OpenAi;

/// <summary>OpenAI's REST interface, as its own clients use it.</summary>
internal static class OpenAiSurface
{
    private const string Root = "/v1";

    public static void AddTo(WebApplicationBuilder builder) => builder.Services.AddRouting();

    public static void Map(WebApplication application, ServedModel served, ServerOptions options)
    {
        HttpTerms terms = HttpTerms.Of(options, ErrorShape.Write);
        application.UseWhen(context => context.Request.Path.StartsWithSegments(Root), calls => calls.UseMiddleware<HttpCallMiddleware>(terms));
        TimeProvider time = application.Services.GetRequiredService<TimeProvider>();
        var models = new ModelEndpoints(served, time);
        application.Take(HttpMethods.Get, $"{Root}/models", models.ListAsync);
        application.Take(HttpMethods.Get, $"{Root}/models/{{**id}}", models.GetAsync);
        application.Take(HttpMethods.Post, $"{Root}/completions", new CompletionEndpoint(served, time).AnswerAsync);
        application.Take(HttpMethods.Post, $"{Root}/chat/completions", new ChatEndpoint(served, time).AnswerAsync);
        application.Take(HttpMethods.Post, $"{Root}/embeddings", new EmbeddingEndpoint(served).AnswerAsync);
    }
}
