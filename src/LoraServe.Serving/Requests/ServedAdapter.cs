namespace LoraServe.Serving.Requests;

/// <summary>The exact adapter that answers a request, fixed when the request came in.</summary>
/// <param name="Name">Its name, also where the request used an alias.</param>
/// <param name="Version">Its version.</param>
/// <param name="Digest">SHA-256 of its files, in lower-case hexadecimal.</param>
/// <param name="Weight">Factor of everything that it adds.</param>
/// <param name="Task">Which of its tasks it answers for; null where it was not asked for one.</param>
public sealed record ServedAdapter(string Name, int Version, string Digest, float Weight, int? Task = null);
