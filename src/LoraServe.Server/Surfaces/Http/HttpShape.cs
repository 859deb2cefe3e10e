namespace LoraServe.Server.Surfaces.Http;

/// <summary>How a surface says that a request failed, as JSON.</summary>
/// <param name="failure">What failed.</param>
internal delegate byte[] HttpShape(HttpFailure failure);
