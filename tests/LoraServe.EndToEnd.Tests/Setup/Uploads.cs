using Google.Protobuf;
using Grpc.Core;
using LoraServe.Client;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>Sends what the client's own call has no words for.</summary>
internal static class Uploads
{
    /// <summary>Uploads an adapter with aliases.</summary>
    public static async Task<LoadAdapterResponse> UploadAsync(this LoraServeClient client, string name, string folder, params string[] aliases)
    {
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> call = client.Adapters.Upload();
        try
        {
            await call.RequestStream.WriteAsync(new UploadAdapterRequest { Header = new UploadHeader { Name = name, Aliases = { aliases } } });
            foreach (string file in Directory.GetFiles(folder))
            {
                var chunk = new FileChunk { File = Path.GetFileName(file), Data = ByteString.CopyFrom(await File.ReadAllBytesAsync(file)) };
                await call.RequestStream.WriteAsync(new UploadAdapterRequest { Chunk = chunk });
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException)
        {
            // Refused before all was sent; the answer below says why.
        }

        return await call;
    }

    /// <summary>Uploads rows to train on.</summary>
    public static async Task<TrainingData> UploadRowsAsync(this LoraServeClient client, string rows)
    {
        using AsyncClientStreamingCall<UploadDataRequest, UploadDataResponse> call = client.Training.UploadData();
        await call.RequestStream.WriteAsync(new UploadDataRequest { Header = new UploadDataHeader { Filename = "rows.jsonl" } });
        await call.RequestStream.WriteAsync(new UploadDataRequest { Chunk = ByteString.CopyFromUtf8(rows) });
        await call.RequestStream.CompleteAsync();
        return new TrainingData { UploadId = (await call).UploadId };
    }
}
