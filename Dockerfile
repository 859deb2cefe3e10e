# syntax=docker/dockerfile:1

# The steps below are those of .ci/run, less the tests.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet restore LoraServe.sln
RUN dotnet build LoraServe.sln -c Release --no-restore -v minimal
RUN dotnet publish src/LoraServe.Cli -c Release --no-build -o /app

# docker build --target cuda: libtorch with CUDA comes along; the host brings NVIDIA's driver and its container toolkit.
FROM build AS build-cuda
RUN dotnet publish src/LoraServe.Cli -c Release -r linux-x64 --self-contained false -p:LibTorch=cuda -o /app-cuda

FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS run
WORKDIR /app
RUN mkdir -p /models /adapters && chown "$APP_UID" /adapters
USER $APP_UID
EXPOSE 8080 8081
VOLUME ["/models", "/adapters"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["dotnet", "loraserve.dll", "health", "--address", "http://localhost:8080"]
ENTRYPOINT ["dotnet", "loraserve.dll"]
CMD ["serve", "--model", "/models", "--adapter-root", "/adapters", "--host", "0.0.0.0", "--port", "8080"]

FROM run AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-cuda /app-cuda .

FROM run
COPY --from=build /app .
