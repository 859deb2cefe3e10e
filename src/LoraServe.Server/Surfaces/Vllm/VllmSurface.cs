using LoraServe.Server.Options;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.Vllm.Adapters;
using LoraServe.Server.Surfaces.Vllm.Messages;
using LoraServe.Server.Surfaces.Vllm.Tokens;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.Vllm;

/// <summary>What vLLM has beside OpenAI's interface: adapters loaded by name and path, tokens, and which version it is.</summary>
internal static class VllmSurface
{
    private const string Tokenize = "/tokenize";
    private const string Detokenize = "/detokenize";

    private static readonly string s_version = typeof(VllmSurface).Assembly.GetName().Version?.ToString(fieldCount: 3) ?? "";

    public static void Map(WebApplication application, ServedModel served, ServerOptions options)
    {
        HttpTerms terms = HttpTerms.Of(options, ErrorShape.Write);
        application.UseWhen(context => context.Request.Path.Value is Tokenize or Detokenize, calls => calls.UseMiddleware<HttpCallMiddleware>(terms));
        var adapters = new LoraEndpoints(served);
        application.Take(HttpMethods.Post, "/v1/load_lora_adapter", adapters.LoadAsync);
        application.Take(HttpMethods.Post, "/v1/unload_lora_adapter", adapters.UnloadAsync);
        var tokens = new TokenEndpoints(served);
        application.Take(HttpMethods.Post, Tokenize, tokens.TokenizeAsync);
        application.Take(HttpMethods.Post, Detokenize, tokens.DetokenizeAsync);

        // Asked without a key, as /health is.
        application.MapGet("/version", (RequestDelegate)(context =>
        {
            byte[] json = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new VersionAnswer(s_version), VllmJson.Instance.VersionAnswer);
            context.Response.ContentType = "application/json";
            return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
        }));
    }
}
