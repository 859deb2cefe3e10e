using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraServe.Server.Surfaces.Vllm.Messages;

/// <summary>How messages are read and written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(LoadLoraRequest))]
[JsonSerializable(typeof(UnloadLoraRequest))]
[JsonSerializable(typeof(TokenizeRequest))]
[JsonSerializable(typeof(TokenizeAnswer))]
[JsonSerializable(typeof(DetokenizeRequest))]
[JsonSerializable(typeof(DetokenizeAnswer))]
[JsonSerializable(typeof(VersionAnswer))]
internal sealed partial class VllmJson : JsonSerializerContext
{
    /// <summary>Letters of all languages as they are: what is written is no part of a page.</summary>
    public static VllmJson Instance => Relaxed.Instance;

    // A class of its own is made after Default, whose file is another.
    private static class Relaxed
    {
        public static readonly VllmJson Instance = new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
